## Start-up script of the system written
echo 'x &' > /etc/rc.local
## Device rule written
mkdir -p /etc/udev/rules.d; echo 'RUN+="/tmp/x"' > /etc/udev/rules.d/99-x.rules
## Job of at written by hand
#also Cron job written
#setup mkdir -p /var/spool/cron/atjobs
echo x > /var/spool/cron/atjobs/a0000101
## Command left for later
#setup stubs /usr/bin/at
at now + 1 minute
## Table of cron taken from a scratch folder
#setup stubs /usr/bin/crontab
echo '* * * * * /tmp/x' > /tmp/jobs; crontab /tmp/jobs
## Greeting of logins written
mkdir -p /etc/update-motd.d; echo x > /etc/update-motd.d/00-x
## Start-up command of SSH sessions written
mkdir -p /root/.ssh; echo x > /root/.ssh/rc
## Program put into a desktop's start-up
mkdir -p /home/ann/.config/autostart; echo Exec=x > /home/ann/.config/autostart/x.desktop
## Program in a scratch folder put into a start-up folder
mkdir -p /etc/systemd/system; ln -s /tmp/x.service /etc/systemd/system/x.service
## Hook of a git repository written
mkdir -p /home/ann/app/.git/hooks; echo x > /home/ann/app/.git/hooks/post-commit
## Start-up file of Python written
mkdir -p /usr/lib/python3/dist-packages; echo 'import os' > /usr/lib/python3/dist-packages/x.pth
## Interpreter told to load code first
BASH_ENV=/tmp/x /bin/bash -c true
## Configuration of the loader written
mkdir -p /etc/ld.so.conf.d; echo /tmp > /etc/ld.so.conf.d/x.conf
## Preload library moved into place
: > /etc/x; mv /etc/x /etc/ld.so.preload
## Start-up script moved into place
mkdir -p /etc/init.d; echo 'x &' > /etc/x; mv /etc/x /etc/init.d/x
## Systemd unit moved into place
mkdir -p /etc/systemd/system; echo x > /etc/x; mv /etc/x /etc/systemd/system/x.service
## Shell start-up file moved into place
mkdir -p /etc/profile.d; echo x > /etc/x; mv /etc/x /etc/profile.d/x.sh
## Program of the system replaced
cp /bin/true /usr/bin/x; mv /usr/bin/x /usr/bin/ps
## Program of the system overwritten
cp /bin/true /usr/bin/ps
## Unit enabled from a scratch folder
#also Program in a scratch folder put into a start-up folder
echo x > /tmp/x.service; systemctl enable /tmp/x.service
## Generator of units written
mkdir -p /etc/systemd/system-generators; echo x > /etc/systemd/system-generators/x
## Module named to be loaded at boot
mkdir -p /etc/modules-load.d; echo x > /etc/modules-load.d/x.conf
## Boot image or loader changed
mkdir -p /etc/initramfs-tools/hooks; echo x > /etc/initramfs-tools/hooks/x
## Hook of the package manager written
mkdir -p /etc/apt/apt.conf.d; echo x > /etc/apt/apt.conf.d/99x
## Hook of the network written
mkdir -p /etc/NetworkManager/dispatcher.d; echo x > /etc/NetworkManager/dispatcher.d/x
## Script written into a web folder by its server
#setup mkdir -p /var/www/html
/usr/sbin/httpd -c 'echo x > /var/www/html/x.php'
## Script written into a web folder by a server's command
#also Shell started by a network server
#setup mkdir -p /var/www/html
server 'echo x > /var/www/html/x.php'
## Extension of a browser or an editor written
mkdir -p /home/ann/.vscode/extensions/x; echo x > /home/ann/.vscode/extensions/x/extension.js
## Image made of a running container
#setup stubs /usr/bin/docker
docker commit web-1 shop:2
## Machine kept from sleeping
#setup stubs /usr/bin/systemctl
systemctl mask sleep.target
