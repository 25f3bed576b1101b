import type { SyntheticProcess } from '@ringfence/synthetic';
import { NOBODY, REMOTE, type Scene, testContent, underWebServer } from './support.ts';

const started = (words: string) => (s: Scene) => s.start(words);
const toUnix = (by: string, path: string) => (s: Scene) => s.connect(s.start(by), path);

function logins(s: Scene, process: SyntheticProcess, count: number, port = 22): void {
  for (let host = 1; host <= count; host++) s.connect(process, `10.0.0.${host}`, port);
}

testContent('lateral-movement.yaml', {
  'Remote login client started in a container': {
    as: 'warning lateral-movement T1021.004',
    fires: { 'ssh to a neighbour': (s) => s.start('/usr/bin/ssh root@10.0.0.5', s.inside) },
    quiet: {
      'git fetches over ssh': (s) => s.start('/usr/bin/ssh git@host', s.start('/usr/bin/git fetch', s.inside)),
      'an administrator on a host': (s) => s.start('/usr/bin/ssh web-2'),
    },
  },
  "Remote login client started by a server's command": {
    as: 'error lateral-movement T1021.004',
    fires: {
      'under a web server': (s) =>
        s.start('/usr/bin/ssh 10.0.0.5', s.start('/bin/sh -c x', s.start('/usr/sbin/httpd', s.init)), NOBODY),
    },
    quiet: {
      'an administrator': started('/usr/bin/ssh web-2'),
      'git in a hook of its server': (s) =>
        s.start('/usr/bin/ssh git@host', s.start('/usr/bin/git push', s.start('/usr/sbin/nginx', s.init))),
    },
  },
  'SSH with a password on the command line': {
    as: 'notice lateral-movement T1021.004',
    fires: { sshpass: started('/usr/bin/sshpass -p secret ssh root@10.0.0.5') },
    quiet: {
      'from a file': started('/usr/bin/sshpass -f/root/.pass ssh backup@nas'),
      'with a key': started('/usr/bin/ssh -i key web-2'),
    },
  },
  'Many machines logged in to': {
    as: 'warning lateral-movement T1021.004',
    fires: {
      'a worm': (s) => logins(s, s.start('/tmp/x'), 10),
      'a loop of ssh': (s) => {
        for (let host = 1; host <= 10; host++) s.connect(s.start('/usr/bin/ssh x'), `10.0.0.${host}`, 22);
      },
    },
    quiet: {
      nine: (s) => logins(s, s.start('/tmp/x'), 9),
      'one machine many times': (s) => {
        for (let n = 0; n < 30; n++) s.connect(s.start('/usr/bin/ssh x'), '10.0.0.1', 22);
      },
      'another port': (s) => logins(s, s.start('/usr/bin/x'), 20, 443),
    },
  },
  'Agent of SSH used by another program': {
    as: 'warning lateral-movement T1563.001',
    fires: { 'a script': toUnix('/usr/bin/python3 x.py', '/tmp/ssh-XXaa/agent.812') },
    quiet: {
      ssh: toUnix('/usr/bin/ssh web-2', '/tmp/ssh-XXaa/agent.812'),
      git: toUnix('/usr/bin/git fetch', '/tmp/ssh-XXaa/agent.812'),
      'another socket': toUnix('/usr/bin/python3 x.py', '/run/user/1000/bus'),
    },
  },
  'Engine of another machine commanded': {
    as: 'error lateral-movement T1210',
    fires: { curl: (s) => s.connect(s.start('/usr/bin/curl http://10.0.0.7:2375/containers/json'), '10.0.0.7', 2375) },
    quiet: {
      'its own': (s) => s.connect(s.start('/usr/bin/curl u'), '127.0.0.1', 2375),
      'another port': (s) => s.connect(s.start('/usr/bin/curl u'), '10.0.0.7', 8080),
    },
  },
  'Redis told to write a file': {
    as: 'warning lateral-movement T1210',
    fires: { 'into the keys of root': started('/usr/bin/redis-cli -h 10.0.0.5 config set dir /root/.ssh') },
    quiet: {
      'a value': started('/usr/bin/redis-cli get user:1'),
      'what is set': started('/usr/bin/redis-cli config get dir'),
    },
  },
  'Tool for Windows machines started': {
    as: 'warning lateral-movement T1021.002',
    fires: {
      'a script of Python': (s) => s.start('/usr/bin/python3 /opt/impacket/wmiexec.py u@10.0.0.5', s.shell, REMOTE),
      'a client': started('/usr/bin/rpcclient -U x dc1'),
    },
    quiet: {
      'a share is mounted': started('/usr/sbin/mount.cifs //nas/x /mnt'),
      'another script': started('/usr/bin/python3 wmi_metrics.py'),
    },
  },
  'File of a scratch folder copied to another machine': {
    as: 'notice lateral-movement T1570',
    fires: {
      scp: (s) => s.start('/usr/bin/scp /tmp/x root@10.0.0.5:/tmp/x'),
      rsync: (s) => s.start('/usr/bin/rsync -a /dev/shm/x web-2:/var/tmp/'),
    },
    quiet: {
      'from a home folder': (s) => s.start('/usr/bin/scp /home/ann/x root@10.0.0.5:/tmp/x'),
      'within the machine': (s) => s.start('/usr/bin/rsync -a /tmp/x/ /srv/x/'),
    },
  },
  "Many machines commanded by a server's command": {
    as: 'error lateral-movement execution T1072',
    fires: {
      Ansible: (s) => s.start('/usr/bin/python3 /usr/bin/ansible all -m shell -a id', ...underWebServer(s)),
      pdsh: (s) => s.start('/usr/bin/pdsh -a id', s.start('/bin/sh', s.inside, REMOTE), REMOTE),
    },
    quiet: {
      'an administrator': (s) => s.start('/usr/bin/python3 /usr/bin/ansible-playbook site.yml'),
      'another script': (s) => s.start('/usr/bin/python3 /srv/app/fabric.py', ...underWebServer(s)),
    },
  },
});
