## Log file removed
#also Log files cleared
echo x > /var/log/auth.log; rm /var/log/auth.log
## Journal removed by hand
mkdir -p /var/log/journal/x; echo x > /var/log/journal/x/system.journal; rm -rf /var/log/journal/x
## Journal shortened
journalctl --vacuum-time=2weeks
## Record of logins edited
#also Activity of users looked at
#also Logs read by an untrusted program or in a container
touch /var/log/wtmp; python3 -c 'open("/var/log/wtmp","r+b")'
## Kernel log cleared
#setup stubs /usr/bin/dmesg
dmesg -C
## Audit rules removed
#setup stubs /usr/sbin/auditctl
auditctl -D
## Configuration of a security tool changed
mkdir -p /etc/rsyslog.d; echo x > /etc/rsyslog.d/50-default.conf
## Security tool stopped by its start-up script
/usr/sbin/service auditd stop
## Firewall opened
#setup stubs /usr/sbin/iptables
iptables -P INPUT ACCEPT
## Certificate authority added
mkdir -p /usr/local/share/ca-certificates; echo x > /usr/local/share/ca-certificates/x.crt
## Package installed without a look at its signature
apt-get install -y --allow-unauthenticated lab-does-not-exist
## Broken ciphers allowed again
#setup printf '#!/bin/sh\n' > /usr/bin/update-crypto-policies; chmod 755 /usr/bin/update-crypto-policies
update-crypto-policies --set LEGACY
## Protection of the kernel switched off
#guest kernel settings have no namespace
sysctl -w kernel.randomize_va_space=0; sysctl -w kernel.randomize_va_space=2
## Settings of encryption changed for the whole machine
echo >> /etc/ssl/openssl.cnf
## Older version of a package asked for
#also Package installed from a local file
#setup stubs /usr/bin/dpkg
dpkg -i --force-downgrade x.deb
## Old version of a protocol forced
openssl s_client -connect 127.0.0.1:1 -tls1
## Older version of a library asked for
#also Check of certificates or signatures left out
#setup stubs /usr/bin/pip
pip install --trusted-host x requests==2.5.0
## Start of another kernel chosen
#setup stubs /usr/sbin/grub-set-default
grub-set-default 1
## Authority of certificates put among the trusted ones by hand
mkdir -p /etc/ssl/certs; ln -s x.pem /etc/ssl/certs/ab12cd34.0
## Authority of certificates given to a browser
#setup stubs /usr/bin/certutil
certutil -d sql:/x -A -t C,, -n x
## Key for the boot or for packages added
#setup stubs /usr/bin/mokutil
mokutil --import /srv/k
## Key for packages added
mkdir -p /etc/apt/trusted.gpg.d; echo x > /etc/apt/trusted.gpg.d/x.gpg
## Mailbox emptied or removed
#setup mkdir -p /var/mail; echo x > /var/mail/ann
rm /var/mail/ann
## Queue of mail emptied
#setup stubs /usr/sbin/postsuper
postsuper -d ALL
## Program that removes its own file
#also Executable run from a scratch folder
#setup cp /usr/bin/python3 /tmp/t
/tmp/t -c 'import os; os.unlink("/tmp/t")'
## Script that removes itself
#also Interpreter runs a script from a scratch folder
#setup printf 'rm -f -- "$0"\n' > /tmp/t.sh
sh /tmp/t.sh
## Files of scratch folders removed by their age
find /tmp -newer /etc/hosts -delete
## Traces of connections removed
ip neigh flush all
## Account or start-up entry removed by hand
#setup touch /etc/cron.d/x
rm /etc/cron.d/x
## Set-user-id bit taken away by hand
#setup stubs /usr/lib/x
chmod u-s /usr/lib/x
