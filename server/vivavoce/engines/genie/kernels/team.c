#include "team.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

#if defined(__x86_64__) || defined(__i386__)
#define PAUSE() __builtin_ia32_pause()
#else
#define PAUSE() ((void)0)
#endif

enum { SPINS_BEFORE_YIELD = 4000 }; /* 0.1 ms: longer than any wait of a team whose members all have a core */

static pthread_mutex_t owner = PTHREAD_MUTEX_INITIALIZER; /* held by the call that has the team */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;  /* guards what follows */
static pthread_cond_t called = PTHREAD_COND_INITIALIZER;
static int helpers;        /* threads made so far; member numbers 1 .. helpers */
static unsigned long call; /* counts calls */
static int wanted;         /* members of the current call */
static team_job current_job;
static void *current_argument;

static atomic_int busy;    /* helpers that are not done with the current call */
static atomic_int arrived; /* members at the barrier */
static atomic_uint opened; /* times the barrier has opened */

static void wait_while(int spins) {
    if (spins < SPINS_BEFORE_YIELD)
        PAUSE();
    else
        sched_yield();
}

static void *help(void *number) {
    int member = (int)(long)number;
    unsigned long seen = 0;
    for (;;) {
        pthread_mutex_lock(&lock);
        while (call == seen || member >= wanted) {
            seen = call;
            pthread_cond_wait(&called, &lock);
        }
        seen = call;
        team_job job = current_job;
        void *argument = current_argument;
        int members = wanted;
        pthread_mutex_unlock(&lock);
        job(argument, member, members);
        atomic_fetch_sub(&busy, 1);
    }
    return NULL;
}

/* Make helpers until there are `count`; returns how many there are. Called with `lock` held. */
static int make_helpers(int count) {
    while (helpers < count) {
        pthread_t thread;
        pthread_attr_t detached;
        pthread_attr_init(&detached);
        pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
        int failed = pthread_create(&thread, &detached, help, (void *)(long)(helpers + 1));
        pthread_attr_destroy(&detached);
        if (failed)
            break;
        helpers++;
    }
    return helpers;
}

void team_run(team_job job, void *argument, int members) {
    if (members > TEAM_MEMBERS_MAX)
        members = TEAM_MEMBERS_MAX;
    if (members < 2 || pthread_mutex_trylock(&owner) != 0) {
        job(argument, 0, 1);
        return;
    }
    pthread_mutex_lock(&lock);
    int available = make_helpers(members - 1) + 1;
    if (members > available)
        members = available;
    wanted = members;
    current_job = job;
    current_argument = argument;
    atomic_store(&busy, members - 1);
    call++;
    pthread_cond_broadcast(&called);
    pthread_mutex_unlock(&lock);
    job(argument, 0, members);
    for (int spins = 0; atomic_load(&busy) > 0; spins++)
        wait_while(spins);
    pthread_mutex_unlock(&owner);
}

void team_barrier(int members) {
    if (members < 2)
        return;
    unsigned ticket = atomic_load(&opened);
    if (atomic_fetch_add(&arrived, 1) == members - 1) {
        atomic_store(&arrived, 0);
        atomic_fetch_add(&opened, 1);
        return;
    }
    for (int spins = 0; atomic_load(&opened) == ticket; spins++)
        wait_while(spins);
}
