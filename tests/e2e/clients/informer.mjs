// An informer on the config maps of a namespace, by the client library for Node.js; says what it sees, a line each.
import * as k8s from '@kubernetes/client-node';

const config = new k8s.KubeConfig();
config.loadFromDefault();
const api = config.makeApiClient(k8s.CoreV1Api);
const ns = process.argv[2];
const informer = k8s.makeInformer(config, `/api/v1/namespaces/${ns}/configmaps`, () => api.listNamespacedConfigMap({ namespace: ns }));
for (const event of ['add', 'update', 'delete']) informer.on(event, (o) => console.log(`${event} ${o.metadata.name} ${o.data?.v ?? ''}`));

// What a program does after a lost connection: start again; the list brings what was missed.
informer.on('error', () => {
  console.log('lost');
  setTimeout(start, 200);
});

async function start() {
  try {
    await informer.start();
  } catch {
    setTimeout(start, 200);
  }
}

await start();
