"""Where a card keeps what published model cards ask for.

Sources: the schema of the CHAI Applied Model Card, version 0.2 (Coalition for Health AI, mc-schema); AI Transparency on
FHIR, ballot of STU 1 (HL7), whose profile AI-ModelCard is a DocumentReference that carries a card in one of several
forms, CHAI's among them, and whose logical model ModelCard has five elements.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["CHAI", "HL7", "at"]

CHAI: Mapping[str, str] = {
    "BasicInfo/ModelName": "name",
    "BasicInfo/ModelDeveloper": "developer.name",
    "BasicInfo/DeveloperContact": "developer.contact",
    "ReleaseInfo/ReleaseStage": "release.stage",
    "ReleaseInfo/ReleaseDate": "release.date",
    "ReleaseInfo/ReleaseVersion": "version",
    "ReleaseInfo/GlobalAvailability": "release.availability",
    "ReleaseInfo/RegulatoryApproval": "release.regulatory",
    "ModelSummary/Summary": "title",
    "ModelSummary/Keywords": "keywords",
    "UsesAndDirections/IntendedUseAndWorkflow": "intended_use",
    "UsesAndDirections/PrimaryIntendedUsers": "users",
    "UsesAndDirections/HowToUse": "how_to_use",
    "UsesAndDirections/TargetedPatientPopulation": "population",
    "UsesAndDirections/CautionedOutOfScopeSettings": "out_of_scope",
    "Warnings/KnownRisksAndLimitations": "limits",
    "Warnings/KnownBiasesOrEthicalConsiderations": "known_biases",
    "Warnings/ClinicalRiskLevel": "clinical_risk",
    "TrustIngredients/AISystemFacts/OutcomesAndOutputs": "outcomes",
    "TrustIngredients/AISystemFacts/ModelType": "model_type",
    "TrustIngredients/AISystemFacts/FoundationModels": "foundation_models",
    "TrustIngredients/AISystemFacts/InputDataSource": "training_data",
    "TrustIngredients/AISystemFacts/OutputAndInputDataTypes": "inputs, outputs",
    "TrustIngredients/AISystemFacts/DevelopmentDataCharacterization": "demographics",
    "TrustIngredients/AISystemFacts/BiasMitigationApproaches": "bias_mitigation",
    "TrustIngredients/AISystemFacts/OngoingMaintenance": "maintenance",
    "TrustIngredients/AISystemFacts/Security": "security",
    "TrustIngredients/AISystemFacts/Transparency": "transparency.explainability",
    "TrustIngredients/TransparencyInformation/FundingSource": "transparency.funding",
    "TrustIngredients/TransparencyInformation/ThirdPartyInformation": "transparency.third_parties",
    "TrustIngredients/TransparencyInformation/StakeholdersConsulted": "transparency.stakeholders",
    "KeyMetrics/UsefulnessUsabilityEfficacy": "key_metrics.usefulness",
    "KeyMetrics/FairnessEquity": "key_metrics.fairness",
    "KeyMetrics/SafetyReliability": "key_metrics.safety",
    "KeyMetrics/*/MetricGoal": "key_metrics.*.goal",
    "KeyMetrics/*/Results": "key_metrics.*.results",
    "KeyMetrics/*/Interpretation": "key_metrics.*.interpretation",
    "KeyMetrics/*/TestType": "key_metrics.*.test_type",
    "KeyMetrics/*/TestingDataDescription": "key_metrics.*.testing_data",
    "KeyMetrics/*/ValidationProcessAndJustification": "key_metrics.*.validation",
    "Resources/EvaluationReferences": "resources.evaluation",
    "Resources/ClinicalTrial": "resources.clinical_trial",
    "Resources/PeerReviewedPublications": "resources.publications",
    "Resources/ReimbursementStatus": "resources.reimbursement",
    "Resources/PatientConsentOrDisclosure": "resources.consent",
    "Bibliography": "bibliography",
}
"""Elements of CHAI's AppliedModelCard, and the keys of `card.json` with points between levels; `*` for each of several.

Two of its elements have no key: `ReleaseInfo/EHRCompatibility`, because nothing here speaks to a health record, and
`Signature`, for which SHA256SUMS stands.
"""

HL7: Mapping[str, str] = {
    "ModelCard.id": "name, version",
    "ModelCard.name": "title",
    "ModelCard.description": "model_type, training, developer",
    "ModelCard.type": "model_type",
    "DocumentReference.identifier": "name, version",
    "DocumentReference.author": "developer.name",
    "DocumentReference.date": "release.date",
}
"""Elements of the HL7 guide that a card has a value for. The card's text goes in as `DocumentReference.content`."""


def at(card: Mapping[str, Any], path: str) -> list[Any]:
    """Take values of a card by a path of `CHAI` or `HL7`.

    Args:
        card: content of `card.json`.
        path: keys with points between levels, `*` for each; several with a comma between them.

    Returns:
        The values found, in order.

    Raises:
        KeyError: if a key is missing.
    """
    found = []
    for one in path.split(", "):
        values: list[Any] = [card]
        for key in one.split("."):
            values = [part for value in values for part in (value.values() if key == "*" else [value[key]])]
        found += values
    return found
