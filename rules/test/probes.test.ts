import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compile, judge, Scene } from './support.ts';

/** What a rule prints of the scene's events of a kind. */
function printed(scene: Scene, kind: string, output: string): string[] {
  const rule = `- rule: x\n  desc: x.\n  condition: event.action = ${kind}\n  output: "${output}"\n  priority: notice\n`;
  return judge(scene, compile([{ name: 'x.yaml', text: rule }])).map((match) => match.output);
}

it('rules can name what an authentication says', () => {
  const scene = new Scene();
  scene.authenticate(scene.sshd, 'sshd', 'ann', 7, '203.0.113.9');
  scene.authenticate(scene.sshd, 'sshd', 'root');
  assert.deepEqual(
    printed(
      scene,
      'authentication',
      '%event.outcome %event.result %ringfence.pam.service %ringfence.pam.user %ringfence.pam.remote_host',
    ),
    ['failure 7 sshd ann 203.0.113.9', 'success 0 sshd root <NA>'],
  );
});

it('rules can name a line of a shell', () => {
  const scene = new Scene();
  scene.shellLine(scene.shell, 'cd /');
  assert.deepEqual(printed(scene, 'shell_line', '%process.name %ringfence.shell.line'), ['bash cd /']);
});

it('rules can name what goes through TLS', () => {
  const scene = new Scene();
  scene.tls(scene.inside, true, 'GET / HTTP/1.1');
  const output = '%ringfence.tls.egress %ringfence.tls.bytes %ringfence.tls.payload';
  assert.deepEqual(printed(scene, 'tls_data', output), ['true 14 GET / HTTP/1.1']);
});
