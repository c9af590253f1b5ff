/**
 * The tables of agents; an agent is named by its id in lower case, and a skill that is not known is empty. `agents` has one
 * row for each that was registered or did something, `record` what its registration and what followed say of it.
 */
export const agentTables = `
CREATE TABLE agents (
  agent TEXT PRIMARY KEY, registered INTEGER NOT NULL, enabled INTEGER NOT NULL, health TEXT NOT NULL,
  search TEXT NOT NULL, record TEXT
);
CREATE TABLE agent_skills (agent TEXT NOT NULL, skill TEXT NOT NULL, PRIMARY KEY (agent, skill)) WITHOUT ROWID;
CREATE INDEX agent_skills_by_skill ON agent_skills (skill);
CREATE TABLE agent_history (
  agent TEXT NOT NULL, skill TEXT NOT NULL, successes INTEGER NOT NULL, failures TEXT NOT NULL,
  total_millis INTEGER NOT NULL, tokens INTEGER NOT NULL, cost_micro_usd INTEGER NOT NULL,
  last_invocation INTEGER NOT NULL, kept INTEGER NOT NULL, PRIMARY KEY (agent, skill)
) WITHOUT ROWID;
CREATE TABLE agent_latest (
  agent TEXT NOT NULL, skill TEXT NOT NULL, bucket INTEGER NOT NULL, kept INTEGER NOT NULL, answers TEXT NOT NULL,
  PRIMARY KEY (agent, skill, bucket)
) WITHOUT ROWID;
ALTER TABLE runs ADD COLUMN agents TEXT;
`

/** The columns of what an agent did with one skill, as its values are ordered. */
export const historyNames: ReadonlyArray<string> = [
  ...["agent", "skill", "successes", "failures", "total_millis", "tokens", "cost_micro_usd"],
  ...["last_invocation", "kept"]
]

/** So many places of the log have their answers in one row, whichever of them have one. */
export const bucketSize = 256

/** The row that an answer is in. */
export const bucketOf = (seq: number): number => Math.floor(seq / bucketSize)
