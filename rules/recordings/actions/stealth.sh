## Log files cleared
: > /var/log/syslog
## Shell history cleared
rm -f /root/.bash_history
## Hidden executable
#setup named /tmp/.x
/tmp/.x
## Process that looks like a kernel thread
bash -c 'exec -a "[kworker/0:1]" /bin/true'
## Code put into another process
/opt/lab/access child attach poke
