import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compile, matchesOf, Scene } from './scene.ts';

/** Returns the outputs of a rule on the scene's events of a kind. */
function printed(scene: Scene, kind: string, output: string): string[] {
  const rule = `- rule: x\n  desc: x.\n  condition: event.action = ${kind}\n  output: "${output}"\n  priority: notice\n`;
  return matchesOf(scene, compile(rule)).map(([, line]) => line);
}

it('rules can name the fields of an authentication', () => {
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

it('rules can name data that goes through TLS', () => {
  const scene = new Scene();
  scene.tls(scene.inside, true, 'GET / HTTP/1.1');
  const output = '%ringfence.tls.egress %ringfence.tls.bytes %ringfence.tls.payload';
  assert.deepEqual(printed(scene, 'tls_data', output), ['true 14 GET / HTTP/1.1']);
});

it('rules can name values that a user-defined probe read, as text and as a number', () => {
  const printedIf = (condition: string, output: string): string[] => {
    const scene = new Scene();
    scene.probe(scene.inside, 'nginx-request', { uri: '/admin', status: 404, delta: -2 });
    return printed(scene, `probe and ${condition}`, output);
  };
  const output =
    '%probe.name %probe.type %probe.args[uri] %probe.args[status] %probe.numbers[delta] %probe.numbers[uri] %probe.args[none] %probe.arguments';
  assert.deepEqual(printedIf('probe.args[uri] startswith /adm and probe.numbers[status] >= 400', output), [
    'nginx-request uprobe /admin 404 -2 <NA> <NA> uri=/admin status=404 delta=-2',
  ]);
  assert.deepEqual(printedIf('probe.numbers[delta] > -2', 'x'), []);
  assert.deepEqual(printedIf('not probe.args[none] exists', 'x'), ['x']);
});
