## Security tool stopped
systemctl stop auditd
## Firewall flushed
#setup stubs /usr/sbin/iptables
iptables -F
## SELinux or AppArmor switched off
#setup stubs /usr/sbin/setenforce
setenforce 0
## Agent attacked
#guest the action stops an agent, so that agent must be the guest's own
kill -STOP $PPID; sleep 2; kill -CONT $PPID
## Firewall service stopped
systemctl stop firewalld
## Process of a security tool looked up, then sent a signal
#setup cp /bin/sleep /usr/sbin/auditd; /usr/sbin/auditd 100 & echo $! > /run/auditd.pid
kill -9 $(cat /run/auditd.pid)
## Security tool ended by force
#also Files of a security tool changed or removed
#also Program of the system overwritten
cp /bin/sleep /usr/sbin/auditd; /usr/sbin/auditd 100 & sleep 0.2; kill -9 $!
## Files of a security tool changed or removed
mkdir -p /opt/CrowdStrike; touch /opt/CrowdStrike/falconctl; rm /opt/CrowdStrike/falconctl
## Names of machines given other addresses
echo 127.0.0.1 x >> /etc/hosts
## Rules of the firewall written by a command
mkdir -p /etc/ufw; echo ENABLED=no > /etc/ufw/ufw.conf
## File protected against change
touch /var/tmp/x; chattr +i /var/tmp/x
## File that starts programs or lets users in protected against change
#setup touch /etc/cron.d/x
chattr +i /etc/cron.d/x
## Home or keys of root opened to others
chown 1000 /root
## Files opened to everybody by a server's command
#also Shell started by a network server
server 'chmod 777 /srv'
## File in a scratch folder made executable by hand
#setup touch /tmp/t
chmod +x /tmp/t
