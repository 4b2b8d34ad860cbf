import { makeMemoryBucket } from '../../src/adapters/memory/bucket.ts';
import { makeSkippingClock } from '../../src/adapters/memory/clock.ts';
import { makeMemoryOutlet } from '../../src/adapters/memory/outlet.ts';
import { makeMemoryPublisher } from '../../src/adapters/memory/publisher.ts';
import { makeSeededRandom } from '../../src/adapters/memory/random.ts';
import { makeMemoryShards } from '../../src/adapters/memory/shards.ts';
import { makeMemoryStream } from '../../src/adapters/memory/stream.ts';
import { makeMemoryTable } from '../../src/adapters/memory/table.ts';
import {
  bucketSuite,
  clockSuite,
  outletSuite,
  publisherSuite,
  randomSuite,
  shardsSuite,
  streamSuite,
} from './others.ts';
import { tableSuite } from './table.ts';

tableSuite('memory', async () => makeMemoryTable());
bucketSuite('memory', async () => makeMemoryBucket());
streamSuite('memory', async () =>
  makeMemoryStream({ arn: 'arn:aws:kinesis:eu-west-1:1:stream/s', createdMs: 1 }),
);
shardsSuite('memory', async () => {
  const shards = makeMemoryShards();
  shards.addShard(0);
  let sequence = 0;
  const put = async () => {
    sequence += 1;
    shards.put(0, String(sequence), Date.now());
    return String(sequence);
  };
  return { shards, put };
});
publisherSuite('memory', async () => {
  const publisher = makeMemoryPublisher();
  return { publisher, receive: async () => publisher.events };
});
outletSuite('memory', async () => {
  const outlet = makeMemoryOutlet(makeSkippingClock(0));
  return { outlet, read: async () => outlet.records };
});
clockSuite('skipping clock', () => makeSkippingClock(0));
randomSuite('seeded', () => makeSeededRandom(1));
