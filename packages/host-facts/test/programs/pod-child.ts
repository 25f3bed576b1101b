/** Prints the pod and the service account of a container: `pod-child.ts ROOT ID`. */
import { matchRuntime } from '../../src/runtimes/runtimes.ts';

const [root = '', id = ''] = process.argv.slice(2);
const description = matchRuntime(`/kubepods/pod1/${id}`)?.runtime.describe(id, { root, dockerRoots: [] });
process.stdout.write(JSON.stringify([description?.pod, description?.serviceAccount]));
