# SPDX-License-Identifier: Apache-2.0
"""The program `datadream` in a wheel. There is no Python interface: run the program."""
