## Program run from a hidden folder for settings
#setup stubs /home/ann/.config/pulse/pad
/home/ann/.config/pulse/pad
## Hidden file made in shared memory
mkdir /dev/shm/db; sh -c "echo x > /dev/shm/db/.x"; rm -r /dev/shm/db
## File system in a hidden file
truncate -s 1M /home/ann/.i; mkfs.ext4 -q /home/ann/.i
## File system of a user's own opened
#setup stubs /usr/bin/gocryptfs
gocryptfs /home/ann/c /home/ann/m
## Files taken from an image by a debugger of file systems
#setup truncate -s 1M /home/ann/i; mkfs.ext4 -q /home/ann/i
debugfs -w -R 'write /etc/hosts hosts' /home/ann/i
## Virtual machine of a program that no package installed
#setup stubs /home/ann/q
/home/ann/q -m 64 -netdev user,id=n0
## Virtual machine started without a window
#setup stubs /usr/bin/VBoxHeadless
VBoxHeadless --startvm x
## Root folder moved into a hidden folder
#setup mkdir -p /home/ann/.r/bin; cp "$(command -v busybox)" /home/ann/.r/bin/sh
chroot /home/ann/.r /bin/sh -c :
## Browser started without a window
#setup stubs /usr/bin/google-chrome
google-chrome --headless=new http://10.9.8.7/
## Terminal kept open under a hidden name
#setup stubs /usr/bin/tmux
tmux -S /dev/shm/.t new-session -d true
## Program from a scratch folder protected against hangup
#also Executable run from a scratch folder
#setup stubs /tmp/t
nohup /tmp/t
## Shell that ignores the signals that end it
sh -c "trap '' HUP TERM; :"
## Process of a server's command put into the background
#also Shell started by a network server
server 'setsid true'
## Filter for mail written by a command
echo :0 > /home/ann/.mailfilter
## Folder covered inside a namespace
mkdir /home/ann/a /home/ann/b; setpriv --reuid 1000 --regid 1000 --clear-groups unshare -Urm mount --bind /home/ann/a /home/ann/b
## File of the system covered by a mount
#setup touch /etc/cron.d/x /srv/x
mount -o bind /srv/x /etc/cron.d/x
## Data kept in an attribute of a file
#setup stubs /usr/bin/setfattr
setfattr -n user.x -v y /etc/hosts
## Hidden script run
#setup echo : > /home/ann/.r
sh /home/ann/.r
## Account hidden from the login screen
mkdir -p /var/lib/AccountsService/users; echo x > /var/lib/AccountsService/users/x
