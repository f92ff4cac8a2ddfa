module slipway.example/oracle-tar

go 1.21
