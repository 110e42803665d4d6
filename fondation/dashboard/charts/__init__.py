"""The pictures of the dashboard: values in, an SVG element out. Colours and type are classes of its stylesheet."""
