/* A team of threads for one call: they sleep between calls and wait for each other busily within one. */

#ifndef VIVAVOCE_TEAM_H
#define VIVAVOCE_TEAM_H

enum { TEAM_MEMBERS_MAX = 16 };

/* What a member does. `member` counts from 0, the caller; all members see the same `members`. */
typedef void (*team_job)(void *argument, int member, int members);

/* Run `job` on up to `members` threads, the calling one included, and return when all are done. Where another call
   has the team, or threads cannot be made, fewer do it: a job must be right with any number of members. */
void team_run(team_job job, void *argument, int members);

/* Wait until every member of the running job is here. */
void team_barrier(int members);

#endif
