#include "hub/io/child.h"

#include "hub/base/memory.h"
#include "hub/io/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <poll.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { INPUT = 0, OUTPUT = 1, PROGRAM_SIZE_MAX = 64 * 1024, EXIT_NOT_STARTED = 127 };

struct hub_child {
    const struct hub_child_config *config;
    char *program; /* where it is */
    struct sock_fprog rules; /* of seccomp */
    struct sock_filter *steps;
    pid_t pid; /* 0: it does not run */
    int to, from;
};

/* --- the rules, made before a process is: after fork nothing may be allocated --- */

static bool add_rules(scmp_filter_ctx context) {
    static const int refused[] = {SCMP_SYS(socket), SCMP_SYS(io_uring_setup), SCMP_SYS(ptrace),
                                  SCMP_SYS(process_vm_readv)};
    bool added = true;
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        added = added && seccomp_rule_add(context, SCMP_ACT_ERRNO(EACCES), refused[i], 0) == 0;
    return added;
}

/* The program of a filter, as the kernel takes it. */
static bool export_rules(struct hub_child *child, scmp_filter_ctx context) {
    int file = memfd_create("rules", MFD_CLOEXEC);
    bool whole = false;
    if (file < 0)
        return false;
    if (seccomp_export_bpf(context, file) == 0) {
        off_t size = lseek(file, 0, SEEK_CUR);
        if (size > 0 && size <= PROGRAM_SIZE_MAX) {
            child->steps = hub_allocate((size_t)size);
            whole = pread(file, child->steps, (size_t)size, 0) == size;
            child->rules.filter = child->steps;
            child->rules.len = (unsigned short)((size_t)size / sizeof *child->steps);
        }
    }
    close(file);
    return whole;
}

static enum hub_status make_rules(struct hub_child *child, struct hub_error *reterr) {
    scmp_filter_ctx context = seccomp_init(SCMP_ACT_ALLOW);
    bool made = context != NULL && add_rules(context) && export_rules(child, context);
    if (context != NULL)
        seccomp_release(context);
    return made ? HUB_OK
                : hub_fail(reterr, HUB_FATAL,
                           "%s: this machine cannot keep a program from the network (seccomp)",
                           child->config->words[0]);
}

/* --- the program --- */

static char *join(const char *folder, size_t size, const char *name) {
    HUB_SCOPED_BUFFER path = {0};
    hub_buffer_append_format(&path, "%.*s/%s", (int)size, folder, name);
    return hub_copy_text(hub_buffer_text(&path));
}

static bool is_program(const char *path) {
    struct stat facts;
    return stat(path, &facts) == 0 && S_ISREG(facts.st_mode) && access(path, X_OK) == 0;
}

/* A name with a / is of the folder, another is looked for in PATH; NULL where there is none. */
static char *find_program(const struct hub_child_config *config) {
    const char *name = config->words[0], *path = getenv("PATH");
    if (strchr(name, '/') != NULL)
        return *name == '/' ? hub_copy_text(name)
                            : join(config->folder, strlen(config->folder), name);
    while (path != NULL && *path != '\0') {
        size_t size = strcspn(path, ":");
        char *whole = join(path, size, name);
        if (size > 0 && is_program(whole))
            return whole;
        hub_release(whole);
        path += size + (path[size] == ':');
    }
    return NULL;
}

enum hub_status hub_child_new(const struct hub_child_config *config, struct hub_child **ret_child,
                              struct hub_error *reterr) {
    struct hub_child *child = hub_allocate_zero(1, sizeof *child);
    child->config = config;
    child->program = find_program(config);
    enum hub_status status = HUB_OK;
    if (child->program == NULL || !is_program(child->program))
        status = hub_fail(reterr, HUB_FATAL, "%s: no program that could be run", config->words[0]);
    if (status == HUB_OK)
        status = make_rules(child, reterr);
    if (status != HUB_OK)
        hub_child_free(child);
    else
        *ret_child = child;
    return status;
}

/* --- running --- */

/* In the new process, where only what is safe in a signal handler may be called. */
__attribute__((noreturn)) static void become(const struct hub_child *child, const int *input,
                                             const int *output, char *const *environment) {
    const struct rlimit memory = {child->config->memory_bytes, child->config->memory_bytes};
    const struct rlimit none = {0, 0};
    sigset_t all;
    sigemptyset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    signal(SIGPIPE, SIG_DFL);
    setpgid(0, 0); /* so that what it starts can be ended with it */
    int nowhere = open("/dev/null", O_WRONLY);
    bool ready = nowhere >= 0 && dup2(input[INPUT], STDIN_FILENO) >= 0 &&
                 dup2(output[OUTPUT], STDOUT_FILENO) >= 0 && dup2(nowhere, STDERR_FILENO) >= 0 &&
                 close_range(STDERR_FILENO + 1, ~0U, 0) == 0 &&
                 prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && chdir(child->config->folder) == 0 &&
                 setrlimit(RLIMIT_AS, &memory) == 0 && setrlimit(RLIMIT_CORE, &none) == 0 &&
                 prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 &&
                 prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &child->rules) == 0;
    if (ready)
        execve(child->program, (char *const *)child->config->words, environment);
    _exit(EXIT_NOT_STARTED);
}

static void close_both(const int *ends) {
    close(ends[INPUT]);
    close(ends[OUTPUT]);
}

static enum hub_status no_process(const struct hub_child *child, struct hub_error *reterr) {
    return hub_fail(reterr, HUB_RETRY, "%s: no process to be had: %s", child->config->words[0],
                    strerror(errno));
}

/* NAME=value, or NULL where it is not set. */
static char *variable(const char *name) {
    const char *value = getenv(name);
    HUB_SCOPED_BUFFER text = {0};
    if (value == NULL)
        return NULL;
    hub_buffer_append_format(&text, "%s=%s", name, value);
    return hub_copy_text(hub_buffer_text(&text));
}

static enum hub_status fork_child(struct hub_child *child, const int *input, const int *output,
                                  struct hub_error *reterr) {
    static const char *const kept[] = {"PATH", "LANG", "HOME"};
    char *environment[sizeof kept / sizeof *kept + 1] = {0};
    size_t count = 0;
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++)
        if ((environment[count] = variable(kept[i])) != NULL)
            count++;
    pid_t pid = fork();
    if (pid == 0)
        become(child, input, output, environment);
    for (size_t i = 0; i < count; i++)
        hub_release(environment[i]);
    if (pid < 0)
        return no_process(child, reterr);
    child->pid = pid;
    return HUB_OK;
}

static enum hub_status start(struct hub_child *child, struct hub_error *reterr) {
    int input[2], output[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, input) != 0)
        return no_process(child, reterr);
    if (pipe2(output, O_CLOEXEC) != 0) {
        close_both(input);
        return no_process(child, reterr);
    }
    enum hub_status status = fork_child(child, input, output, reterr);
    if (status != HUB_OK) {
        close_both(input);
        close_both(output);
        return status;
    }
    close(input[INPUT]);
    close(output[OUTPUT]);
    child->to = input[OUTPUT];
    child->from = output[INPUT];
    fcntl(child->to, F_SETFL, O_NONBLOCK);
    fcntl(child->from, F_SETFL, O_NONBLOCK);
    return HUB_OK;
}

/* How it ended, once it was told to. */
static int end(struct hub_child *child) {
    int how = 0;
    if (child->pid == 0)
        return 0;
    close(child->to);
    close(child->from);
    kill(-child->pid, SIGKILL);
    kill(child->pid, SIGKILL); /* one that has ended already keeps how it ended */
    while (waitpid(child->pid, &how, 0) < 0 && errno == EINTR)
        ;
    child->pid = 0;
    return how;
}

void hub_child_stop(struct hub_child *child) {
    end(child);
}

void hub_child_free(struct hub_child *child) {
    if (child == NULL)
        return;
    end(child);
    hub_release(child->program);
    hub_release(child->steps);
    hub_release(child);
}

/* --- asking --- */

struct question {
    struct hub_bytes line;
    size_t written; /* of the line and its end */
    struct hub_buffer *answer;
    bool answered;
};

enum ending { GOES_ON, ENDED, TOO_LONG };

static enum ending write_some(const struct hub_child *child, struct question *question) {
    static const uint8_t line_end[] = "\n";
    bool is_end = question->written == question->line.size;
    const uint8_t *from = is_end ? line_end : question->line.data + question->written;
    ssize_t size = send(child->to, from, is_end ? 1 : question->line.size - question->written,
                        MSG_NOSIGNAL);
    if (size > 0)
        question->written += (size_t)size;
    return size > 0 || errno == EAGAIN || errno == EINTR ? GOES_ON : ENDED;
}

static enum ending read_some(const struct hub_child *child, struct question *question) {
    uint8_t bytes[65536];
    ssize_t size = read(child->from, bytes, sizeof bytes);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? GOES_ON : ENDED;
    if (size == 0)
        return ENDED;
    hub_buffer_append(question->answer, bytes, (size_t)size);
    if (question->answer->size > child->config->answer_size_max)
        return TOO_LONG;
    question->answered = bytes[size - 1] == '\n';
    return GOES_ON;
}

static enum hub_status refuse(struct hub_child *child, enum ending ending,
                              struct hub_error *reterr) {
    const char *name = child->config->words[0];
    int how = end(child);
    if (ending == TOO_LONG)
        return hub_fail(reterr, HUB_REJECT, "%s answered with more than %zu bytes", name,
                        child->config->answer_size_max);
    if (WIFEXITED(how) && WEXITSTATUS(how) == EXIT_NOT_STARTED)
        return hub_fail(reterr, HUB_REJECT, "%s could not be started", name);
    if (WIFEXITED(how))
        return hub_fail(reterr, HUB_REJECT, "%s ended with exit code %d instead of an answer",
                        name, WEXITSTATUS(how));
    return hub_fail(reterr, HUB_REJECT,
                    "%s was ended by signal %d instead of an answer; it may have %zu MB of memory",
                    name, WTERMSIG(how), child->config->memory_bytes >> 20);
}

static enum ending exchange(const struct hub_child *child, struct question *question,
                            int64_t timeout_ms) {
    bool writes = question->written <= question->line.size;
    struct pollfd ends[] = {{.fd = child->from, .events = POLLIN},
                            {.fd = writes ? child->to : -1, .events = POLLOUT}};
    enum ending ending = GOES_ON;
    if (poll(ends, 2, (int)timeout_ms) <= 0)
        return GOES_ON;
    if (ends[0].revents != 0)
        ending = read_some(child, question);
    if (ending == GOES_ON && (ends[1].revents & (POLLOUT | POLLERR)) != 0)
        ending = write_some(child, question);
    return ending;
}

enum hub_status hub_child_ask(struct hub_child *child, struct hub_bytes line, int64_t timeout_ms,
                              struct hub_buffer *answer, struct hub_error *reterr) {
    struct question question = {.line = line, .answer = answer};
    int64_t until_ms = hub_clock_monotonic_ms() + timeout_ms;
    hub_buffer_clear(answer);
    if (child->pid == 0)
        HUB_TRY(start(child, reterr));
    while (!question.answered || question.written <= line.size) {
        int64_t left_ms = until_ms - hub_clock_monotonic_ms();
        if (left_ms <= 0) {
            end(child);
            return hub_fail(reterr, HUB_REJECT, "%s gave no answer within %lld ms",
                            child->config->words[0], (long long)timeout_ms);
        }
        enum ending ending = exchange(child, &question, left_ms);
        if (ending != GOES_ON)
            return refuse(child, ending, reterr);
    }
    answer->size--; /* the line's end */
    return HUB_OK;
}
