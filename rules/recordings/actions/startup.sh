## Start-up script of the system written
echo 'x &' > /etc/rc.local
## Device rule written
mkdir -p /etc/udev/rules.d; echo 'RUN+="/tmp/x"' > /etc/udev/rules.d/99-x.rules
## Job of at written by hand
#setup mkdir -p /var/spool/cron/atjobs
echo x > /var/spool/cron/atjobs/a0000101
## Command left for later
#setup mkdir -p /var/spool/cron/atjobs; shells /usr/bin/at
at -c 'echo x > /var/spool/cron/atjobs/a0000101'
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
## Image made of a running container
#setup stubs /usr/bin/docker
docker commit web-1 shop:2
## Sleep of the machine changed
#setup stubs /usr/bin/systemctl
systemctl mask sleep.target
## Start script of graphical sessions written
echo 'x &' >> /home/ann/.xsessionrc
## Program of a supervisor written
mkdir -p /etc/service/x; echo 'exec /tmp/x' > /etc/service/x/run
## Container put into the start-up
mkdir -p /etc/containers/systemd; echo '[Container]' > /etc/containers/systemd/x.container
## Container made to restart for ever
#setup stubs /usr/bin/docker
docker update --restart=always web-1
## Unit that reacts to an event written
mkdir -p /etc/systemd/system; echo '[Path]' > /etc/systemd/system/x.path
## Program linked into a desktop's start-up
#setup mkdir -p /home/ann/.config/autostart
ln -s /home/ann/x.desktop /home/ann/.config/autostart/x.desktop
## File bound over a program of the system
#setup cp /usr/bin/ss /tmp/x
mount --bind /tmp/x /usr/bin/ss
## Library of the system replaced
#also Program moved from a scratch folder among those of the system
#setup cp /bin/true /tmp/x
mv /tmp/x /usr/lib/libx.so.1
## Hook of the system written
mkdir -p /etc/ppp/ip-up.d; echo x > /etc/ppp/ip-up.d/x
