/* Whose a conflict is: the institution that the field's rules name first, else those whose
 * statements stand in it. */
#include "hub/stages/fold_state.h"

#include "schemas/lib/encode.h"

#include <string.h>

struct fold_owners fold_owners_new(const struct fold_step *step) {
    const struct hub_parties *parties = step->fold->domain->parties;
    return (struct fold_owners){
        parties, hub_arena_take_zero(step->arena, parties->institution_count, sizeof(bool))};
}

void fold_owners_add(struct fold_owners *owners, const char *institution) {
    for (size_t i = 0; i < owners->parties->institution_count; i++)
        owners->named[i] |= strcmp(owners->parties->institutions[i].name, institution) == 0;
}

/* A register is nobody's: whoever carries what it says can ask there. */
void fold_owners_add_speakers(struct fold_owners *owners, const struct fold_statement *statement) {
    if (statement->system->owner != NULL)
        fold_owners_add(owners, statement->system->owner);
    for (size_t i = 0; statement->system->owner == NULL && i < statement->copy_count; i++)
        if (!statement->copies[i].withdrawn)
            fold_owners_add(owners, statement->copies[i].institution);
}

void fold_owners_encode(const struct fold_owners *owners, struct hub_buffer *value) {
    size_t count = 0;
    for (size_t i = 0; i < owners->parties->institution_count; i++)
        count += owners->named[i];
    hub_encode_array_begin(value, count);
    for (size_t i = 0; i < owners->parties->institution_count; i++)
        if (owners->named[i])
            hub_encode_text(value, owners->parties->institutions[i].name);
    hub_encode_array_end(value);
}
