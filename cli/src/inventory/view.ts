import type { Paint } from '@ringfence/base';
import type {
  End,
  Inventory,
  InventoryContainer,
  InventoryProcess,
  MountNamespace,
  OpenSocket,
} from '@ringfence/host-facts';
import { escapeText } from '@ringfence/wire';
import { counted } from '../shared/numbers.ts';

const COMMAND_MAX = 100;
const PIDS_SHOWN = 8;

export function inventoryText(inventory: Inventory, mounts: boolean, paint: Paint): string {
  const { containers, processes, mountNamespaces } = inventory;
  const names = new Map(containers.map(({ id, name }) => [id, name || id.slice(0, 12)]));
  const lines: string[] = [];
  if (containers.length > 0) {
    lines.push(
      paint.bold(`Containers (${containers.length})`),
      ...containers.flatMap((container) => containerLines(container, paint)),
      '',
    );
  }
  lines.push(paint.bold(`Processes (${processes.length})`));
  lines.push(
    paint.dim(`  ${'PID'.padStart(7)} ${'PARENT'.padStart(7)} ${'UID'.padStart(6)} STARTED             COMMAND`),
  );
  lines.push(...processes.flatMap((process) => processLines(process, names, paint)));
  const hidden = processes.filter((process) => process.hidden);
  if (hidden.length > 0)
    lines.push(
      '',
      paint.red(
        `${counted(hidden.length, 'process', 'processes')} hidden from /proc: ${hidden.map(({ pid }) => pid).join(', ')}`,
      ),
    );
  if (mounts) lines.push('', ...mountNamespaces.flatMap((namespace) => mountLines(namespace, paint)));
  return lines.join('\n');
}

const time = (micros: number): string => new Date(micros / 1000).toISOString().slice(0, 19).replace('T', ' ');
const safe = (text: string): string => escapeText(text);

function containerLines(container: InventoryContainer, paint: Paint): string[] {
  const { id, name, runtime, image, privileged, startedAt, pids, pod, namespace, serviceAccount } = container;
  const facts = [
    safe(runtime),
    safe(image),
    ...(privileged ? [paint.red('privileged')] : []),
    ...(startedAt > 0 ? [`since ${time(startedAt)}`] : []),
    counted(pids.length, 'process', 'processes'),
  ];
  const kubernetes =
    pod === '' ? [] : [`pod ${namespace}/${pod}`, ...(serviceAccount === '' ? [] : [`as ${serviceAccount}`])].map(safe);
  const shown = [...facts, ...kubernetes].filter((fact) => fact !== '');
  return [
    `  ${paint.cyan(safe(name || id.slice(0, 12)))} ${paint.dim(safe(id.slice(0, 12)))} ${shown.join(', ')}`,
    ...container.mounts.map(({ source, destination, readonly }) =>
      paint.dim(`      ${safe(source)} at ${safe(destination)}${readonly ? ', read-only' : ''}`),
    ),
  ];
}

function processLines(process: InventoryProcess, names: ReadonlyMap<string, string>, paint: Paint): string[] {
  const { pid, parentPid, euid, startedAt, container, sockets } = process;
  const command = commandOf(process);
  const shown = command.length > COMMAND_MAX ? `${command.slice(0, COMMAND_MAX)}…` : command;
  const location = container === null ? '' : paint.cyan(` [${safe(names.get(container) ?? container)}]`);
  const hidden = process.hidden ? paint.red(' hidden from /proc') : '';
  const pids = [pid, parentPid].map((number) => String(number).padStart(7)).join(' ');
  return [
    `  ${pids} ${String(euid).padStart(6)} ${time(startedAt)} ${safe(shown)}${location}${hidden}`,
    ...sockets.map((socket) => paint.dim(`${' '.repeat(26)}${safe(socketText(socket))}`)),
  ];
}

/** Returns the command line, or the name in brackets if the process has no arguments, as ps shows it. */
function commandOf({ args, name, executable }: InventoryProcess): string {
  if (args.length > 0) return args.join(' ');
  return name === '' ? executable : `[${name}]`;
}

const endText = ({ address, port }: End): string =>
  address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;

export function socketText({ fd, family, type, protocol, state, local, peer, path }: OpenSocket): string {
  const kind = local === null ? `${family} ${type}` : `${protocol}${family === 'inet6' ? '6' : ''}`;
  const ends = local === null ? path : endText(local) + (peer === null ? '' : ` to ${endText(peer)}`);
  return `fd ${fd} ${[kind, state, ends].filter((part) => part !== '').join(' ')}`;
}

function mountLines({ namespace, pids, mounts }: MountNamespace, paint: Paint): string[] {
  const shownPids = `${pids.slice(0, PIDS_SHOWN).join(', ')}${pids.length > PIDS_SHOWN ? ', …' : ''}`;
  return [
    paint.bold(`Mounts of namespace ${namespace} (pid ${shownPids})`),
    ...(mounts === null
      ? [paint.red('  not readable: /proc shows none of its processes')]
      : mounts.map(
          ({ point, filesystem, source, root, options }) =>
            `  ${safe(point)} ${safe(filesystem)} ${safe(root === '/' ? source : `${source}:${root}`)} ${paint.dim(safe(options))}`,
        )),
    '',
  ];
}
