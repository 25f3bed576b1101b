import type { TopicSpec } from '@ringfence/bus';
import type { Config } from '@ringfence/config';
import { topicsWith } from '@ringfence/wire';

/** The topics with their retention as it is set; `spread`: partitions of those that are spread. */
export function topicSpecs(config: Pick<Config, 'topics'>, spread = 1): TopicSpec[] {
  return topicsWith(spread).map((topic) => ({ ...topic, ...config.topics[topic.setting] }));
}
