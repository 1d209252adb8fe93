/** The configuration files of a cluster on one host, below one directory, listening on 127.0.0.1 alone. */

export interface Ports {
  readonly slurmctld: number
  readonly slurmdbd: number
  /** One for each node. */
  readonly nodes: Readonly<Record<string, number>>
}

/** Lines of `slurm.conf`, of which one without a value is left out. */
export type Settings = Readonly<Record<string, string | number>>

/**
 * Short times, so that tests need not wait; a job is forgotten after `MinJobAge` as on most sites, unless a test says
 * otherwise. `cred_expire` also decides how long a requeued job waits. `AuthInfo` alone does not reach the connection to
 * slurmdbd, which has `AccountingStoragePass`. Source: slurm.conf(5) of 22.05, and trials.
 */
const settings = (dir: string, ports: Ports): Settings => ({
  ClusterName: "test",
  SlurmctldHost: "localhost(127.0.0.1)",
  SlurmctldPort: ports.slurmctld,
  SlurmUser: "root",
  SlurmdUser: "root",
  CommunicationParameters: "NoCtldInAddrAny,NoInAddrAny",
  AuthType: "auth/munge",
  AuthInfo: `socket=${dir}/munge.socket,cred_expire=5`,
  CredType: "cred/munge",
  StateSaveLocation: `${dir}/state`,
  SlurmdSpoolDir: `${dir}/spool/%n`,
  SlurmctldPidFile: `${dir}/run/slurmctld.own`,
  SlurmdPidFile: `${dir}/run/%n.own`,
  SlurmdParameters: "config_overrides",
  ProctrackType: "proctrack/linuxproc",
  TaskPlugin: "task/none",
  MpiDefault: "none",
  SwitchType: "switch/none",
  SelectType: "select/cons_tres",
  SelectTypeParameters: "CR_Core_Memory",
  DefMemPerCPU: 1000,
  ReturnToService: 2,
  MessageTimeout: 5,
  SlurmctldTimeout: 10,
  SlurmdTimeout: 15,
  KillWait: 2,
  InactiveLimit: 0,
  MinJobAge: 300,
  MaxArraySize: 1001,
  JobRequeue: 1,
  EnforcePartLimits: "ALL",
  SchedulerType: "sched/backfill",
  SchedulerParameters: "batch_sched_delay=0,sched_interval=1,sched_min_interval=0,bf_interval=1,bf_continue",
  PriorityType: "priority/multifactor",
  PriorityWeightQOS: 1000,
  PreemptType: "preempt/qos",
  PreemptMode: "REQUEUE",
  DebugFlags: "NO_CONF_HASH",
  AccountingStorageType: "accounting_storage/slurmdbd",
  AccountingStorageHost: "127.0.0.1",
  AccountingStoragePort: ports.slurmdbd,
  AccountingStoragePass: `${dir}/munge.socket`,
  AccountingStorageEnforce: "associations,limits,qos",
  JobAcctGatherType: "jobacct_gather/linux",
  JobAcctGatherFrequency: "task=1",
  JobAcctGatherParams: "OverMemoryKill"
})

export const slurmConf = (dir: string, ports: Ports, changed: Settings): string =>
  [
    ...Object.entries({ ...settings(dir, ports), ...changed })
      .flatMap(([key, value]) => value === "" ? [] : [`${key}=${value}`]),
    ...Object.entries(ports.nodes).map(([name, port]) =>
      `NodeName=${name} NodeHostname=localhost NodeAddr=127.0.0.1 Port=${port} CPUs=4 RealMemory=8000 State=UNKNOWN`
    ),
    "PartitionName=debug Nodes=ALL Default=YES DefaultTime=5 MaxTime=60 State=UP",
    "PartitionName=down Nodes=ALL MaxTime=60 State=DOWN",
    ""
  ].join("\n")

export const slurmdbdConf = (dir: string, ports: Ports): string =>
  [
    "AuthType=auth/munge",
    `AuthInfo=socket=${dir}/munge.socket`,
    "DbdHost=localhost",
    "DbdAddr=127.0.0.1",
    `DbdPort=${ports.slurmdbd}`,
    "SlurmUser=root",
    `PidFile=${dir}/run/slurmdbd.own`,
    "CommunicationParameters=NoInAddrAny",
    "StorageType=accounting_storage/mysql",
    "StorageHost=localhost",
    "StorageUser=root",
    "StorageLoc=accounting",
    ""
  ].join("\n")

/** One account for root, and QOSs of which `urgent` preempts the other two. In sacctmgr's own language. */
export const accounting = [
  "add cluster test",
  "add qos urgent,scavenge,requeue",
  "modify qos scavenge set preemptmode=cancel",
  "modify qos requeue set preemptmode=requeue",
  "modify qos urgent set priority=1000 preempt=scavenge,requeue",
  "add account project cluster=test description=test organization=test",
  "add user root account=project cluster=test defaultaccount=project qos=normal,urgent,scavenge,requeue defaultqos=normal",
  "modify user where name=root cluster=test set defaultaccount=project qos=normal,urgent,scavenge,requeue",
  ""
].join("\n")
