"""A version 1 client on a very bad line: every byte of its request travels alone.

python v1_byte_by_byte.py PORT PICTURE EXTENSION: prints the reply as JSON.
"""

import json
import select
import socket
import sys


def main():
    port, path, extension = sys.argv[1:]
    connection = socket.create_connection(("127.0.0.1", int(port)))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with open(path, "rb") as file:
        content = file.read()
    request = b"".join([extension.encode(), b"<SEP>", str(len(content)).encode(), content])
    for position in range(len(request)):
        connection.send(request[position : position + 1])
        pause = 0.02 if position < 20 else 0.0002  # seconds; the header is the delicate part
        if select.select([connection], [], [], pause)[0]:
            break  # the server has something to say already
    reply = bytearray()
    piece = connection.recv(1)
    while piece:
        reply += piece
        piece = connection.recv(1)
    connection.close()
    verdict, _, rest = bytes(reply).partition(b"<SEP>")
    length, _, rest = rest.partition(b"<SEP>")
    sentence = rest[: len(rest) - int(length)]
    same = rest[len(sentence) :] == content
    json.dump([verdict.decode(), sentence.decode(), same], sys.stdout)


main()
