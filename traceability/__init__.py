"""Where each lot came from: diary, public codes, scan page, GS1 addresses."""
