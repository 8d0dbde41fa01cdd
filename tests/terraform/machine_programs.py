"""What runs in the machines of the tests of tunnels, as text."""

from __future__ import annotations

AWS = '''#!{python}
"""Stands in for the AWS command line: parameters and the secret are files."""
import json, os, sys
from pathlib import Path
folder = Path({folder!r})
words = sys.argv[1:]
option = lambda name: words[words.index(name) + 1]
with (folder / "calls.jsonl").open("a") as file:
    file.write(json.dumps(words) + "\\n")
if not os.environ.get("AWS_DEFAULT_REGION"):
    sys.exit("You must specify a region.")
secret, said = folder / "secret", folder / "public-key"
if words[:2] == ["secretsmanager", "get-secret-value"]:
    if not secret.exists():
        sys.exit("An error occurred (ResourceNotFoundException) when calling GetSecretValue")
    print(secret.read_text())
elif words[:2] == ["secretsmanager", "put-secret-value"]:
    name = option("--secret-string")
    secret.write_text(Path(name.removeprefix("file://")).read_text())
elif words[:2] == ["ssm", "put-parameter"]:
    said.write_text(option("--value"))
elif words[:2] == ["ssm", "get-parameters-by-path"]:
    print("\\t".join(path.read_text() for path in sorted(folder.glob("peers-*"))))
else:
    sys.exit(f"unknown: {{words}}")
'''

# Answers TCP with the caller's address, keeps what UDP brings, and is the VPC's resolver.
HOST = """
import json, selectors, socket, sys
log = open(sys.argv[1], "a", buffering=1)
port, resolver = int(sys.argv[2]), sys.argv[3]
picker = selectors.DefaultSelector()
tcp = socket.create_server(("", port)); picker.register(tcp, selectors.EVENT_READ, "tcp")
udp = socket.socket(type=socket.SOCK_DGRAM); udp.bind(("", port))
picker.register(udp, selectors.EVENT_READ, "udp")
if resolver:
    dns = socket.socket(type=socket.SOCK_DGRAM); dns.bind((resolver, 53))
    picker.register(dns, selectors.EVENT_READ, "dns")
print("ready", flush=True)
while True:
    for key, _ in picker.select():
        if key.data == "tcp":
            made, peer = tcp.accept()
            picker.register(made, selectors.EVENT_READ, peer[0])
        elif key.data == "udp":
            data, peer = udp.recvfrom(2000)
            log.write(json.dumps([peer[0], data.decode()]) + "\\n")
        elif key.data == "dns":
            data, peer = dns.recvfrom(2000)
            if peer[0].startswith("10.0."):  # as AWS's: it answers the VPC alone
                dns.sendto(peer[0].encode(), peer)
        else:
            data = key.fileobj.recv(2000)
            if data:
                key.fileobj.sendall(key.data.encode())
            else:
                picker.unregister(key.fileobj); key.fileobj.close()
"""

ASK_TCP = """
import socket, sys
address, port, source = sys.argv[1], int(sys.argv[2]), sys.argv[3]
with socket.create_connection((address, port), 2, (source, 0) if source else None) as made:
    made.sendall(b"who am I?")
    print(made.recv(100).decode())
"""

SEND_UDP = """
import socket, sys
made = socket.socket(type=socket.SOCK_DGRAM)
made.bind((sys.argv[3], 0))
for _ in range(3):
    made.sendto(sys.argv[4].encode(), (sys.argv[1], int(sys.argv[2])))
"""

ASK_DNS = """
import socket, sys
made = socket.socket(type=socket.SOCK_DGRAM); made.settimeout(3)
made.sendto(b"?", (sys.argv[1], 53))
print(made.recv(100).decode())
"""

CHARON = """charon {{
  load = random nonce aes sha1 sha2 gcm hmac kdf gmp openssl pem pkcs1 x509 pubkey \
kernel-libipsec kernel-netlink socket-default vici updown
  plugins {{
    vici {{
      socket = unix:///run/charon.vici
    }}
    # ESP in this process: its own packets must not go through its own tunnel again.
    kernel-netlink {{
      fwmark = !0x42
    }}
    socket-default {{
      fwmark = 0x42
    }}
    kernel-libipsec {{
      allow_peer_ts = yes
    }}
  }}
  filelog {{
    log {{
      path = {log}
      default = 1
    }}
  }}
}}
swanctl {{
  load = pem pkcs1 x509 pubkey openssl random
}}
"""
