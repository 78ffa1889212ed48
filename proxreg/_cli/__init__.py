"""What the command line needs beside the library: reading a CSV, the report, the terminal."""
