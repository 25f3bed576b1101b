import {
  elasticsearchMissing,
  opensearchMissing,
  sharedElasticsearch,
  sharedOpenSearch,
} from '@ringfence/testkit/servers';
import type { ClusterOptions } from '../../src/index.ts';
import { type ClusterStore, openClusterStore } from './cluster.ts';

export interface Flavour {
  readonly name: string;
  /** Why the server is unavailable; false when it is available */
  readonly skip: string | false;
  /** Opens a separate trail on a server that the test files share. */
  open(options?: Partial<ClusterOptions>): Promise<ClusterStore>;
}

export const elasticsearch: Flavour = {
  name: 'Elasticsearch',
  skip: elasticsearchMissing() ?? false,
  open: async (options) => openClusterStore((await sharedElasticsearch()).url, options),
};

export const openSearch: Flavour = {
  name: 'OpenSearch',
  skip: opensearchMissing() ?? false,
  open: async (options) => openClusterStore((await sharedOpenSearch()).url, { flavour: 'opensearch', ...options }),
};
