/* A pen: a thread that writes to files what it is handed, one piece at a time, and rings when that is down.
 *
 * The same stands in Python in pen.py, which serves where this file was not compiled; there the interpreter's lock has to be
 * won back twice for each piece, which takes longer than many a disk. A pen keeps what it is handed until it has rung: the
 * bytes stay the caller's, who must hold them so long.
 */
#define _POSIX_C_SOURCE 200809L
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

/* All behind `bell` is guarded by the lock. */
typedef struct {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t called;
    int bell, file, is_handed, is_closing;
    const char *data;
    int64_t length, at;
} Pen;

/* What is told by the bell of each piece: how much of it was written, and errno where that is not all. */
typedef struct {
    int64_t written, fault;
} Outcome;

static Outcome write_whole(int file, const char *data, int64_t length, int64_t at) {
    Outcome outcome = {0};
    while (outcome.written < length && !outcome.fault) {
        size_t left = (size_t)(length - outcome.written);
        ssize_t step = pwrite(file, data + outcome.written, left, (off_t)(at + outcome.written));
        if (step > 0) outcome.written += step;
        else if (step == 0 || errno != EINTR) outcome.fault = step == 0 ? EIO : errno;
    }
    return outcome;
}

/* So few bytes go into a pipe whole. */
static void ring(int bell, Outcome outcome) {
    while (write(bell, &outcome, sizeof outcome) < 0 && errno == EINTR) continue;
}

static void *write_on(void *given) {
    Pen *pen = given;
    pthread_mutex_lock(&pen->lock);
    for (;;) {
        while (!pen->is_handed && !pen->is_closing) pthread_cond_wait(&pen->called, &pen->lock);
        if (!pen->is_handed) break;
        pen->is_handed = 0;
        int bell = pen->bell, file = pen->file;
        const char *data = pen->data;
        int64_t length = pen->length, at = pen->at;
        pthread_mutex_unlock(&pen->lock);
        ring(bell, write_whole(file, data, length, at));
        pthread_mutex_lock(&pen->lock);
    }
    pthread_mutex_unlock(&pen->lock);
    return NULL;
}

/* A pen that rings by an outcome to the pipe `bell`; errno, or 0. */
int tenbin_open_pen(Pen **made, int bell) {
    Pen *pen = calloc(1, sizeof *pen);
    if (!pen) return ENOMEM;
    pen->bell = bell;
    pthread_mutex_init(&pen->lock, NULL);
    pthread_cond_init(&pen->called, NULL);
    /* No signal is for this thread: those of the process are the interpreter's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int fault = pthread_create(&pen->thread, NULL, write_on, pen);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (fault) free(pen);
    else *made = pen;
    return fault;
}

/* Hand over `length` bytes to be written from `at` on, to a pen that has rung for those before. */
int tenbin_hand_to_pen(Pen *pen, int file, const char *data, int64_t length, int64_t at) {
    pthread_mutex_lock(&pen->lock);
    pen->file = file, pen->data = data, pen->length = length, pen->at = at, pen->is_handed = 1;
    pthread_mutex_unlock(&pen->lock);
    pthread_cond_signal(&pen->called); /* not before: who wakes would wait for the lock */
    sched_yield(); /* so that the disk is at work before whoever handed it over goes on */
    return 0;
}

/* Once it has rung for all that it was handed. */
int tenbin_close_pen(Pen *pen) {
    pthread_mutex_lock(&pen->lock);
    pen->is_closing = 1;
    pthread_cond_signal(&pen->called);
    pthread_mutex_unlock(&pen->lock);
    int fault = pthread_join(pen->thread, NULL);
    pthread_cond_destroy(&pen->called);
    pthread_mutex_destroy(&pen->lock);
    free(pen);
    return fault;
}
