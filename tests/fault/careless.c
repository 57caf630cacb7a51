/* Mistakes with memory, for the control of starve.c: what is named is made, and each must be found. */
#include "hub/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What was there is not given back when there is no room for the next. */
static int leak(void) {
    char *first = malloc(16), *second = first == NULL ? NULL : malloc(16);
    if (second == NULL) {
        fputs("no room\n", stderr);
        return 1;
    }
    free(first);
    free(second);
    return 0;
}

static int crash(void) {
    volatile char *text = malloc(16);
    text[0] = 'a';
    free((void *)text);
    return 0;
}

static int hang(void) {
    void *memory = NULL;
    while (memory == NULL)
        memory = malloc(16);
    free(memory);
    return 0;
}

/* A part is left out, and nobody is told. */
static int half(void) {
    char *text = strdup("the middle");
    printf("begin\n%send\n", text == NULL ? "" : text);
    free(text);
    return 0;
}

static int silent(void) {
    void *memory = malloc(16);
    free(memory);
    return memory == NULL ? 1 : 0;
}

/* The control of the control. */
static int careful(void) {
    hub_release(hub_allocate(16));
    return 0;
}

int main(int argc, char **argv) {
    static const struct {
        const char *name;
        int (*make)(void);
    } mistakes[] = {{"leak", leak}, {"crash", crash},   {"hang", hang},
                    {"half", half}, {"silent", silent}, {"careful", careful}};
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++)
        if (argc == 2 && strcmp(argv[1], mistakes[i].name) == 0)
            return mistakes[i].make();
    fputs("usage: careless MISTAKE\n", stderr);
    return 2;
}
