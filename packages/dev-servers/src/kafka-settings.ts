export interface KafkaNode {
  readonly id: number;
  readonly port: number;
  /** host:port that the broker advertises to clients. */
  readonly advertised: string;
  readonly internalPort: number;
  readonly controllerPort: number;
  readonly directory: string;
}

export type Settings = Readonly<Record<string, string | number | boolean>>;

/** The listeners of clients, brokers and controllers. */
function listeners(node: KafkaNode, protocol: string): Settings {
  const internal = `INTERNAL://127.0.0.1:${node.internalPort}`;
  return {
    listeners: `CLIENT://127.0.0.1:${node.port},${internal},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    'advertised.listeners': `CLIENT://${node.advertised},${internal}`,
    'listener.security.protocol.map': `CLIENT:${protocol},INTERNAL:PLAINTEXT,CONTROLLER:PLAINTEXT`,
    'inter.broker.listener.name': 'INTERNAL',
    'controller.listener.names': 'CONTROLLER',
  };
}

/** Settings of test brokers: they start fast, detect a dead broker fast, and do not create topics automatically. */
function behaviour(brokers: number): Settings {
  const isr = brokers > 1 ? 2 : 1;
  return {
    'default.replication.factor': brokers,
    'min.insync.replicas': isr,
    'num.partitions': 1,
    'auto.create.topics.enable': false,
    'offsets.topic.replication.factor': brokers,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': brokers,
    'transaction.state.log.min.isr': isr,
    'transaction.state.log.num.partitions': 2,
    'share.coordinator.state.topic.replication.factor': brokers,
    'share.coordinator.state.topic.min.isr': isr,
    'share.coordinator.state.topic.num.partitions': 1,
    'group.initial.rebalance.delay.ms': 0,
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'controller.quorum.election.timeout.ms': 500,
    'controller.quorum.fetch.timeout.ms': 1000,
    'controlled.shutdown.enable': brokers > 1,
    'log.cleaner.dedupe.buffer.size': 16 << 20,
    'log.cleaner.threads': 1,
    'num.network.threads': 2,
    'num.io.threads': 4,
  };
}

/** Returns server.properties of one node. @param protocol of the clients' listener */
export function properties(node: KafkaNode, nodes: readonly KafkaNode[], protocol: string, more: Settings): string {
  const settings = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    'controller.quorum.voters': nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(','),
    'log.dirs': `${node.directory}/data`,
    ...listeners(node, protocol),
    ...behaviour(nodes.length),
    ...more,
  };
  return Object.entries(settings)
    .map(([key, value]) => `${key}=${value}\n`)
    .join('');
}
