"""What people look at in a browser: plots, the report and the web page, made from what actions answer."""
