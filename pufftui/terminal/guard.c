/* guard.c: says what happened, and leaves a usable terminal behind, when native code ends the
 * process.
 *
 * A crash inside native code (an environment of a stranger, say) must not end in silence, nor leave
 * the user in the alternate screen without echo and cursor. The handler here writes prepared bytes,
 * restores the terminal's settings, names the place in the environment's code where that can be
 * found out, and hands the signal on to whoever handled it before, so that Python's own report
 * still reaches the log. A call of exit() is heard as well: it would end the program as if all were
 * well.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#if defined(__has_include)
#if __has_include(<execinfo.h>)
#include <execinfo.h>
#define HAS_BACKTRACE 1
#endif
#endif

#define PUFF_EXPORT __attribute__((visibility("default")))

enum { MESSAGE = 4096, NAME = 1024, SIGNALS = 5, FRAMES = 64 };

static const int numbers[SIGNALS] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT};
static const char* const names[SIGNALS] = {
    "segmentation fault", "bus error", "arithmetic error", "illegal instruction", "abort",
};

/* Cursor shown, mouse off, focus reports off, bracketed paste off, in-band resize off, line wrap
 * on, synchronised output off, keyboard protocol popped, title given back, alternate screen left,
 * colours reset. */
static const char restore[] =
    "\x1b[?2026l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?1004l"
    "\x1b[?2004l\x1b[?2048l\x1b[<u\x1b[23;2t\x1b[?1049l\x1b[?7h\x1b[?25h\x1b[0m\r";

typedef struct {
    char bytes[MESSAGE];
    size_t length;
} text;

static struct {
    int out;     /* ours alone, -1 while disarmed */
    int shared;  /* what the application writes a screen to, silenced first; -1 without a screen */
    int nothing; /* /dev/null */
    int reports; /* where the last line goes, -1 for nowhere */
    int has_settings;
    struct termios settings;
    text message;       /* follows what happened */
    text line;          /* the last line of `reports` */
    char library[NAME]; /* whose code is suspected, and what it is called */
    char suspect[NAME];
    struct sigaction before[SIGNALS];
} guard = {.out = -1, .shared = -1, .nothing = -1, .reports = -1};

static void put(int descriptor, const char* bytes, size_t length) {
    while (length > 0) {
        const ssize_t written = write(descriptor, bytes, length);
        if (written <= 0) return;
        bytes += written;
        length -= (size_t)written;
    }
}

static void say(const char* words) {
    put(guard.out, words, strlen(words));
}

static void give_back(void) {
    if (guard.shared < 0) return;
    /* Other threads go on for a moment: their output must not follow ours. */
    dup2(guard.nothing, guard.shared);
    say(restore);
    if (guard.has_settings) tcsetattr(guard.out, TCSANOW, &guard.settings);
}

#ifdef HAS_BACKTRACE
static void digits(uintptr_t number, char* into) {
    char backwards[2 * sizeof number];
    int count = 0;
    do backwards[count++] = "0123456789abcdef"[number & 15];
    while ((number >>= 4) > 0);
    *into++ = '0';
    *into++ = 'x';
    while (count > 0) *into++ = backwards[--count];
    *into = '\0';
}

/* Has addr2line, where there is one, say which function and line lie at a place of a library. */
static void say_line(const char* library, uintptr_t place) {
    char address[2 * sizeof place + 3];
    int ends[2];
    digits(place, address);
    if (pipe(ends) != 0) return;
    const pid_t child = fork();
    if (child == 0) {
        for (int i = 0; i < SIGNALS; i++) signal(numbers[i], SIG_DFL);
        dup2(ends[1], 1);
        dup2(guard.nothing, 2);
        execlp("addr2line", "addr2line", "-f", "-p", "-s", "-e", library, address, (char*)NULL);
        _exit(1);
    }
    close(ends[1]);
    char found[256];
    const ssize_t length = child > 0 ? read(ends[0], found, sizeof found - 1) : 0;
    close(ends[0]);
    if (child > 0) waitpid(child, NULL, 0);
    found[length > 0 ? length : 0] = '\0';
    found[strcspn(found, "\r\n")] = '\0';
    char* more = strstr(found, " (discriminator"); /* which part of the line only compilers know */
    if (more != NULL) *more = '\0';
    if (found[0] == '\0' || found[0] == '?') return;
    say(" (");
    say(found);
    say(")");
}
#endif

/* Names the suspect if its code is on the stack, with the place there. */
static int say_suspect(void) {
#ifdef HAS_BACKTRACE
    void* frames[FRAMES];
    const int count = guard.library[0] ? backtrace(frames, FRAMES) : 0;
    for (int i = 0; i < count; i++) {
        Dl_info where;
        if (dladdr(frames[i], &where) == 0 || where.dli_fname == NULL) continue;
        if (strcmp(where.dli_fname, guard.library) != 0) continue;
        say(" in the code of ");
        say(guard.suspect);
        say_line(guard.library, (uintptr_t)frames[i] - (uintptr_t)where.dli_fbase - 1);
        return 1;
    }
#endif
    return 0;
}

/* Whether this thread is the first that ends the process. Others wait for its words, and for the
 * end. */
static int is_first(void) {
    static atomic_flag ending = ATOMIC_FLAG_INIT;
    static pthread_t first;
    if (!atomic_flag_test_and_set(&ending)) {
        first = pthread_self();
        return 1;
    }
    while (!pthread_equal(first, pthread_self())) pause();
    return 0; /* the words themselves went wrong */
}

static void tell(const char* what) {
    give_back();
    if (guard.shared >= 0 || isatty(guard.out)) say("\n");
    say("pufftui: ");
    say(what);
    const int suspected = say_suspect();
    put(guard.out, guard.message.bytes, guard.message.length);
    if (suspected) {
        say("To find the mistake: pufftui env check ");
        say(guard.suspect);
        say("\n");
    }
    if (guard.reports >= 0) put(guard.reports, guard.line.bytes, guard.line.length);
    guard.out = -1;
}

static void on_signal(int number) {
    int which = 0;
    while (which < SIGNALS - 1 && numbers[which] != number) which++;
    if (guard.out >= 0 && is_first()) tell(names[which]);
    /* The signal is blocked until this handler returns, then it meets the handler before us. */
    sigaction(number, &guard.before[which], NULL);
    raise(number);
}

static void on_exit_call(void) {
    if (guard.out < 0) return; /* the program has come to its end by itself */
    if (is_first()) tell("a call of exit()");
    _exit(1);
}

static void set(text* text, const char* bytes) {
    const size_t length = strlen(bytes);
    text->length = 0; /* nothing rather than half of each, should it crash right now */
    memcpy(text->bytes, bytes, length < MESSAGE ? length : MESSAGE);
    text->length = length < MESSAGE ? length : MESSAGE;
}

/* Gives the terminal back while the process goes on. What is written to the descriptor that was
 * given to puff_guard_arm goes nowhere from then on. */
PUFF_EXPORT void puff_guard_give_back(void) {
    if (guard.out >= 0) give_back();
}

/* Changes what follows the name of the signal, cut to what fits. */
PUFF_EXPORT void puff_guard_say(const char* message) {
    set(&guard.message, message);
}

/* Changes the last line that `reports` is given, cut to what fits. */
PUFF_EXPORT void puff_guard_report(const char* line) {
    set(&guard.line, line);
}

/* Hears of a call of exit() before the libraries that are loaded by now clear up after themselves.
 */
PUFF_EXPORT void puff_guard_listen(void) {
    atexit(on_exit_call);
}

/* Whose code is named if it is on the stack: the path that a library was opened by, and its name.
 */
PUFF_EXPORT void puff_guard_suspect(const char* library, const char* name) {
    guard.library[0] = '\0';
    if (strlen(library) >= NAME || strlen(name) >= NAME) return;
    strcpy(guard.suspect, name);
    strcpy(guard.library, library);
}

/* Takes over the signals. `out` is where it is said what happened; with `is_screen` it is the
 * terminal that the application draws on, which is restored. `reports` is given a last line, -1 for
 * nowhere. Returns 0, or -1 if a descriptor cannot be used. Call it before the application changes
 * the terminal. */
PUFF_EXPORT int puff_guard_arm(int out, int is_screen, int reports) {
    if (guard.out >= 0) return -1;
    guard.shared = is_screen ? out : -1;
    guard.nothing = open("/dev/null", O_WRONLY | O_CLOEXEC);
    guard.reports = reports;
    guard.message.length = guard.line.length = 0;
    guard.library[0] = '\0';
    const int own = fcntl(out, F_DUPFD_CLOEXEC, 3);
    if (own < 0 || guard.nothing < 0) return -1;
    guard.has_settings = tcgetattr(own, &guard.settings) == 0;
    guard.out = own;
#ifdef HAS_BACKTRACE
    void* frame[1];
    backtrace(frame, 1); /* The first call loads a library, which a handler must not. */
#endif
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (int i = 0; i < SIGNALS; i++) sigaction(numbers[i], &action, &guard.before[i]);
    return 0;
}

/* Gives the signals back. */
PUFF_EXPORT void puff_guard_disarm(void) {
    if (guard.out < 0) return;
    for (int i = 0; i < SIGNALS; i++) sigaction(numbers[i], &guard.before[i], NULL);
    close(guard.out);
    close(guard.nothing);
    guard.out = -1;
}
