"""The mathematics: arrays in, arrays out.

Nothing here opens a file, a socket, a database or a model. The frozen types that cross rooms live here too,
since every other room stands on this one.
"""
