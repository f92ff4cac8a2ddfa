module slipway.test/probe

go 1.22
