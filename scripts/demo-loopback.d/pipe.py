#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
#
# A program talks to samples/echo: each write is a message, each read gives one.
import os

CLASS = "3b1f6c1e-52a4-4a0e-8d3e-6f2c7d0f9a11"
INSTANCE = "9e0c7b52-0d1b-4c5a-b7a6-2a9f4a1c8e02"

pipe = os.open(f"/dev/vmbkmcl/{CLASS}-{INSTANCE}", os.O_RDWR)
for message in b"hello", b"from user space":
    os.write(pipe, message)
    print(f"pipe.py: wrote {message}, read {os.read(pipe, 256)}")
os.close(pipe)
