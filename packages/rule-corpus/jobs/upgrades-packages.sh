## upgrades packages
#desc a server that upgrades its packages each week: a signed repository, maintainer scripts, triggers, changed settings, a renewed key
#in host
#in debian:12
#needs apt-ftparchive gpg
mkdir -p /srv/repo /srv/gpg /etc/apt/keyrings; chmod 700 /srv/gpg; export GNUPGHOME=/srv/gpg DEBIAN_FRONTEND=noninteractive
gpg --batch -q --passphrase '' --quick-gen-key 'Lab <lab@example.org>' rsa2048
release() {
	for name in web lib tool; do
		p=/srv/build/$name; rm -rf $p; mkdir -p $p/DEBIAN $p/etc/lab $p/usr/bin $p/usr/lib/lab-$name $p/usr/share/lab-$name $p/lib/systemd/system $p/etc/logrotate.d $p/usr/share/man/man1
		printf 'Package: lab-%s\nVersion: %s\nArchitecture: all\nMaintainer: Lab <lab@example.org>\nDescription: %s\n' $name $1 $name > $p/DEBIAN/control
		for n in $(seq 1 25); do echo "$1 $n" > $p/usr/share/lab-$name/$n; done
		printf '#!/bin/sh\necho %s\n' $1 > $p/usr/bin/lab-$name; chmod 755 $p/usr/bin/lab-$name; echo "version=$1" > $p/etc/lab/$name.conf; echo /etc/lab/$name.conf > $p/DEBIAN/conffiles
		printf '[Service]\nExecStart=/usr/bin/lab-%s\n[Install]\nWantedBy=multi-user.target\n' $name > $p/lib/systemd/system/lab-$name.service
		printf '/var/log/lab-%s.log {\n weekly\n missingok\n}\n' $name > $p/etc/logrotate.d/lab-$name; printf '.TH LAB 1\n' | gzip > $p/usr/share/man/man1/lab-$name.1.gz
		cat > $p/DEBIAN/postinst <<-P
			#!/bin/sh
			set -e
			case \$1 in
			configure)
				getent passwd lab-$name > /dev/null || adduser --system --group --home /var/lib/lab-$name --quiet lab-$name
				install -d -o lab-$name -m 750 /var/lib/lab-$name; chmod 644 /etc/lab/$name.conf
				update-alternatives --install /usr/bin/lab lab /usr/bin/lab-$name 10
				deb-systemd-helper unmask lab-$name.service > /dev/null || true
				deb-systemd-helper --quiet was-enabled lab-$name.service && deb-systemd-helper enable lab-$name.service > /dev/null || deb-systemd-helper update-state lab-$name.service > /dev/null || true
				ldconfig ;;
			triggered) find /usr/lib/lab-lib -type f | sort > /var/lib/lab-$name/index ;;
			esac
		P
		printf '#!/bin/sh\nset -e\n[ "$1" != upgrade ] || systemctl is-active lab-%s || true\n' $name > $p/DEBIAN/prerm
		printf '#!/bin/sh\nset -e\nif [ "$1" = purge ]; then deluser --quiet --system lab-%s || true; rm -rf /var/lib/lab-%s; deb-systemd-helper purge lab-%s.service > /dev/null || true; fi\n' $name $name $name > $p/DEBIAN/postrm
		chmod 755 $p/DEBIAN/p*
		[ $name != lib ] || printf 'interest-noawait /usr/lib/lab-lib\n' > $p/DEBIAN/triggers
		[ $name != tool ] || { mkdir -p $p/usr/lib/lab-lib; echo "$1" > $p/usr/lib/lab-lib/tool; }
		dpkg-deb --root-owner-group --build $p /srv/repo/lab-${name}_$1.deb > /dev/null
	done
	cd /srv/repo; apt-ftparchive packages . > Packages; gzip -kf Packages; apt-ftparchive release . > Release; gpg --batch --yes --clearsign -o InRelease Release; cd /
}
mkdir -p /srv/apt/lists/partial /srv/apt/archives/partial
export APT_CONFIG=/srv/apt.conf; printf 'Dir::Etc::sourcelist "/etc/apt/sources.list.d/lab.list";\nDir::Etc::sourceparts "/dev/null";\nAPT::Sandbox::User "root";\nDir::State::lists "/srv/apt/lists";\nDir::Cache::archives "/srv/apt/archives";\n' > $APT_CONFIG
release 1.0; gpg --export > /etc/apt/keyrings/lab.gpg; echo 'deb [signed-by=/etc/apt/keyrings/lab.gpg] file:/srv/repo ./' > /etc/apt/sources.list.d/lab.list
apt-get update -q; apt-get install -y -q lab-web lab-lib lab-tool; echo debug=1 >> /etc/lab/web.conf; apt-mark hold lab-lib
release 1.1; apt-get update -q; apt-get -s -q upgrade; apt-get upgrade -y -q -o Dpkg::Options::=--force-confold; apt-mark unhold lab-lib; apt-get dist-upgrade -y -q -o Dpkg::Options::=--force-confdef
# Half a year later the repository has a new key.
gpg --batch -q --passphrase '' --quick-gen-key 'Lab next <next@example.org>' rsa2048; gpg --export > /etc/apt/keyrings/lab.gpg.new; mv /etc/apt/keyrings/lab.gpg.new /etc/apt/keyrings/lab.gpg
release 1.2; apt-get update -q; apt-get upgrade -y -q -o Dpkg::Options::=--force-confnew; dpkg-divert --add --rename --divert /usr/bin/lab-tool.old /usr/bin/lab-tool; dpkg-divert --remove --rename /usr/bin/lab-tool; dpkg-statoverride --update --add root adm 750 /usr/bin/lab-tool
dpkg --verify lab-web lab-lib; dpkg -L lab-web > /dev/null; dpkg -S /usr/bin/lab-web; apt-get check -q; apt-cache policy lab-web; dpkg --audit; dpkg-reconfigure lab-web; systemctl daemon-reload; update-ca-certificates; needrestart -b
apt-get remove -y -q lab-tool; apt-get purge -y -q lab-web lab-lib lab-tool; apt-get autoremove -y -q; apt-get clean; rm -f /etc/apt/sources.list.d/lab.list
