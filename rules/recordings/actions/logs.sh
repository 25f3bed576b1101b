## Log file removed
#also Log files cleared
echo x > /var/log/auth.log; rm /var/log/auth.log
## Journal removed by hand
mkdir -p /var/log/journal/x; rm -rf /var/log/journal/x
## Journal shortened
journalctl --vacuum-time=1s
## Record of logins edited
touch /var/log/wtmp; python3 -c 'open("/var/log/wtmp","r+b")'
## Kernel log cleared
#setup stubs /usr/bin/dmesg
dmesg -C
## Audit rules removed
#setup stubs /usr/sbin/auditctl
auditctl -D
## Configuration of a security tool written
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
