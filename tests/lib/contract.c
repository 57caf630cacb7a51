#include "tests/lib/contract.h"

#include "tests/lib/cmocka.h"
#include "tests/lib/records.h"

static const char text_format[] =
    "{'type': 'record', 'name': 'Own', 'namespace': 'atmp', 'doc': 'd', 'hub:domain': 'own',\n"
    "%s,\n"
    "'fields': [\n"
    "{'name': 'statement', 'type': {'type': 'record', 'name': 'Statement', 'fields': ["
    "{'name': 'version', 'type': 'string', 'doc': 'd'}, "
    "{'name': 'event_time', 'type': ['null', {'type': 'record', 'name': 'Time',"
    " 'hub:atomic': true, 'fields': [{'name': 'time', 'type': 'long', 'doc': 'd'}]}],"
    " 'doc': 'd'}, "
    "{'name': 'state', 'type': {'type': 'enum', 'name': 'StatementState', 'symbols':"
    " ['CURRENT', 'WITHDRAWN', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}, 'doc': 'd'}, "
    "{'name': 'reason', 'type': ['null', 'string'], 'doc': 'd'}]},"
    " 'doc': 'stamp', 'hub:merge': 'latest', 'hub:conflict': 'ignore', 'hub:volatile': true},\n"
    "{'name': 'identifiers', 'type': {'type': 'array', 'items': {'type': 'record',"
    " 'name': 'Identifier', 'fields': ["
    "{'name': 'scheme', 'type': 'string', 'doc': 'd'}, "
    "{'name': 'issuer', 'type': ['null', 'string'], 'doc': 'd'}, "
    "{'name': 'value', 'type': 'string', 'doc': 'd'}, "
    "{'name': 'relation', 'type': {'type': 'enum', 'name': 'IdentifierRelation', 'symbols':"
    " ['SELF', 'RELATED', 'UNRECOGNISED'], 'default': 'UNRECOGNISED'}, 'doc': 'd'}]}},"
    " 'doc': 'd', 'hub:merge': {'union': ['scheme', 'value'], 'by': 'latest'},"
    " 'hub:conflict': 'ignore'},\n"
    "{'name': 'links', 'type': {'type': 'array', 'items': {'type': 'record', 'name': 'Link',"
    " 'fields': [{'name': 'domain', 'type': 'string', 'doc': 'd'},"
    " {'name': 'identifier', 'type': 'atmp.Identifier', 'doc': 'd'},"
    " {'name': 'role', 'type': 'string', 'doc': 'd'}]}},"
    " 'doc': 'd', 'hub:merge': {'union': ['domain'], 'by': 'latest'}, 'hub:conflict': 'ignore'},\n"
    "%s]}";

const char *contract_text(struct hub_arena *arena, const char *annotations, const char *fields) {
    const char *head = schema_quoted(arena, text_format);
    HUB_SCOPED_BUFFER text = {0};
    struct hub_bytes before, rest, between, after;
    hub_bytes_cut(hub_bytes_of_text(head), '%', &before, &rest);
    hub_bytes_cut(rest, '%', &between, &after);
    hub_buffer_append_bytes(&text, before);
    hub_buffer_append_text(&text, schema_quoted(arena, annotations));
    hub_buffer_append_bytes(&text, hub_bytes_part(between, 1, between.size));
    hub_buffer_append_text(&text, schema_quoted(arena, fields));
    hub_buffer_append_bytes(&text, hub_bytes_part(after, 1, after.size));
    return hub_arena_text(arena, (const char *)text.data, text.size);
}

static enum hub_status load(struct contract *contract, const char *text, struct hub_error *reterr) {
    const struct hub_catalogue *catalogue = test_catalogue();
    HUB_TRY(hub_schema_load(hub_bytes_of_text(text), "own.avsc", &contract->schema, reterr));
    return hub_domain_load(contract->schema, &catalogue->schemes, &catalogue->parties,
                           &contract->arena, &contract->domain, reterr);
}

void contract_open(struct contract *contract, const char *annotations, const char *fields) {
    struct hub_error error;
    *contract = (struct contract){0};
    expect_ok(load(contract, contract_text(&contract->arena, annotations, fields), &error), &error);
}

void contract_close(struct contract *contract) {
    hub_schema_free(contract->schema);
    hub_arena_destroy(&contract->arena);
}

const struct hub_field_contract *contract_field(const struct contract *contract, const char *name) {
    int index = hub_type_field(contract->schema->root, name);
    assert_true(index >= 0);
    return &contract->domain.contract.fields[index];
}

void contract_expect_refused(const char *annotations, const char *fields, const char *from,
                             const char *to, const char *place, const char *words, const char *file,
                             int line) {
    struct contract contract = {0};
    struct hub_error error;
    const char *text = contract_text(&contract.arena, annotations, fields);
    if (from != NULL)
        text = schema_edited(&contract.arena, text, from, to);
    enum hub_status status = load(&contract, text, &error);
    bool untouched = contract.domain.schema == NULL;
    contract_close(&contract);
    schema_expect_error(status, HUB_FATAL, &error, place, words, file, line);
    _assert_true(untouched, "nothing is given back", file, line);
}
