import type { Entrant } from "./Contest.js"
import type { Options } from "./Measure.js"
import { type Server, startPostgres, startRedis } from "./Servers.js"

/** Another product: how it is set, and what it keeps. */
export interface Peer extends Omit<Entrant, "task"> {
  /** Why a recovery is measured only once. */
  readonly slowRecovery?: boolean
}

const onServer = (server: Server) =>
  typeof server === "string" ? { absent: server } : { settings: { url: server.url } }

/** The other products, each at its documented durable setting, and how to stop the servers that some of them need. */
export const startPeers = async ({
  directory,
  peers
}: Options): Promise<{ readonly peers: ReadonlyArray<Peer>; readonly stop: () => Promise<void> }> => {
  if (!peers) return { peers: [], stop: async () => undefined }
  const [postgres, redis] = await Promise.all([startPostgres(directory), startRedis(directory)])
  return {
    peers: [
      {
        name: "LangGraph.js graph, SqliteSaver",
        does: 'a node a step, durability "sync": a checkpoint of the whole state per superstep and a row per node; WAL, NORMAL: not synced',
        module: "../peers/langgraphGraph.js"
      },
      {
        name: "LangGraph.js functional, SqliteSaver",
        does: 'a task a step, durability "sync": a row per task, a checkpoint per run; WAL, NORMAL: not synced',
        module: "../peers/langgraphFunctional.js"
      },
      {
        name: "@effect/workflow, SQLite",
        does: "an activity a step on a single runner: a message and a reply per activity; WAL, NORMAL: not synced",
        module: "../peers/effectWorkflow.js"
      },
      {
        name: "Mastra 0.24, libSQL",
        does: "a step a step: a snapshot of the whole run per step in a libSQL file, by its defaults; the last line of Mastra for Node 20",
        module: "../peers/mastra.js"
      },
      {
        name: "DBOS, Postgres",
        does: "a step a step: a row per step, committed with the defaults of Postgres, which sync before the next step",
        module: "../peers/dbos.js",
        ...onServer(postgres)
      },
      {
        name: "BullMQ flows, Redis",
        does: "a job a step, a flow a run: jobs and results in an append-only file that is synced (appendfsync always) before Redis answers",
        module: "../peers/bullmq.js",
        slowRecovery: true,
        ...onServer(redis)
      }
    ],
    stop: async () => {
      for (const server of [postgres, redis]) if (typeof server !== "string") await server.stop()
    }
  }
}
