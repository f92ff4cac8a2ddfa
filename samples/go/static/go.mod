module samples/lighthouse

go 1.21
