## Security tool stopped
#also Security tools looked for
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
