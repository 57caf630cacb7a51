# What study.yaml maps, picked and named by jq.
def state: {"recruiting": "RECRUITING", "planned": "PLANNED"}[.];
.study | {
  key: .number,
  version: .revised,
  event_time: .revised,
  recorded_time: .entered,
  identifiers: [
    {scheme: "nct", value: .number, relation: "self"},
    {scheme: "euct", value: .euNumber, relation: "self"},
    {scheme: "isrctn", value: .registryNumbers.isrctn, relation: "self"},
    {scheme: "protocol", value: .registryNumbers.sponsorCode, relation: "self"}
  ],
  titles: [{lang: "en", text: .titles.english}, {lang: "sv", text: .titles.swedish}],
  acronym: .shortName,
  sponsor: .sponsor.name,
  status: (.progress.state | state),
  phases: [.progress.phases[] | {"1": "PHASE_1", "2": "PHASE_2"}[.]],
  conditions: .conditions,
  products: [.interventions[] | {name, kind: {"tissue": "TISSUE", "cell": "CELL"}[.kind]}],
  enrolment: {count: .enrolment.planned,
              type: {"target": "TARGET", "actual": "ACTUAL"}[.enrolment.kind]},
  start: .dates.begins,
  primary_end: .dates.mainResult,
  end: .dates.ends,
  by_country: [.countries[] | {country: .code, status: (.state | state), subjects: .people}],
  sites: [.places[] | {site: .hospital, city: .town}]
}
