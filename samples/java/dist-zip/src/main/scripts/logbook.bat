@echo off
java -cp "%~dp0..\lib\*" samples.logbook.Logbook %*
