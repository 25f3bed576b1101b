## installs and removes a package
#desc a server that installs and purges a package with an account, a cron job and a service
#in host
#in debian:12
mkdir -p /srv/pkg/DEBIAN /srv/pkg/etc/cron.daily /srv/pkg/etc/profile.d /srv/pkg/lib/systemd/system /srv/pkg/usr/sbin /srv/pkg/usr/share/demo
printf 'Package: lab-demo\nVersion: 1.0\nArchitecture: all\nMaintainer: lab <lab@example.org>\nDescription: demo\n' > /srv/pkg/DEBIAN/control
printf '#!/bin/sh\nset -e\nuseradd -r lab-demo || true\nchown lab-demo /usr/share/demo\nchmod 4755 /usr/sbin/lab-demo\nldconfig\n' > /srv/pkg/DEBIAN/postinst
printf '#!/bin/sh\nset -e\nuserdel lab-demo || true\n' > /srv/pkg/DEBIAN/postrm
chmod 755 /srv/pkg/DEBIAN/p*
printf '#!/bin/sh\nexit 0\n' > /srv/pkg/etc/cron.daily/lab-demo
printf 'export LAB=1\n' > /srv/pkg/etc/profile.d/lab-demo.sh
printf '[Service]\nExecStart=/usr/sbin/lab-demo\n' > /srv/pkg/lib/systemd/system/lab-demo.service
cp /usr/bin/true /srv/pkg/usr/sbin/lab-demo
for n in $(seq 1 200); do echo $n > /srv/pkg/usr/share/demo/$n; done
dpkg-deb --build /srv/pkg /srv/lab-demo.deb
apt-get install -y /srv/lab-demo.deb || dpkg -i /srv/lab-demo.deb
lab-demo
apt-get remove -y --purge lab-demo || dpkg -P lab-demo
apt-cache search shell | head -5; dpkg -l | wc -l
